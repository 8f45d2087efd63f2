package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
)

type verifyCmd struct {
	Head   []string `sep:"none" placeholder:"WORD" help:"The log must contain this head, which ccdestroy audit head printed earlier. Repeatable."`
	Format string   `enum:"table,json" default:"table" help:"table or json."`
	Proof  string   `fixed:"" placeholder:"FILE" help:"Verify a proof that audit prove wrote, without the network; needs --store-key."`
	logFlag
	sourceFlag
}

// Run checks the log. There is no warning before it: the verdict says everything.
func (c verifyCmd) Run(ctx context.Context, p Process, code *int) error {
	if c.Proof != "" {
		return c.proof(p)
	}
	heads, err := parseHeads(c.Head)
	if err != nil {
		return err
	}
	s, err := p.source(c.sourceFlag)
	if err != nil {
		return err
	}
	if s != nil {
		return c.fromStore(ctx, p, s, heads, code)
	}
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	report, err := l.Verify(heads)
	if errors.Is(err, fs.ErrNotExist) {
		return record.NoLog(l)
	}
	if err != nil {
		return record.ReadFault(err, l)
	}
	if !report.Intact() {
		*code = fault.ExitNotIntact
	}
	if c.Format == "json" {
		return render.VerifyJSON(p.Stdout, report)
	}
	return render.Verify(p.Stdout, report, p.style(p.Stdout))
}

func parseHeads(words []string) (heads []audit.Head, err error) {
	for _, word := range words {
		h, err := audit.ParseHead(word)
		if err != nil {
			return nil, &fault.Fault{Err: fmt.Errorf("--head %w", err), Try: "give the word that ccdestroy audit head prints", Code: fault.ExitUsage}
		}
		heads = append(heads, h)
	}
	return heads, nil
}

type headCmd struct {
	logFlag
	sourceFlag
}

// Run prints the head.
func (c headCmd) Run(ctx context.Context, p Process) error {
	s, err := p.source(c.sourceFlag)
	if err != nil {
		return err
	}
	if s != nil {
		return c.fromStore(ctx, p, s)
	}
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	head, err := l.Last()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return record.NoLog(l)
	case err != nil:
		return record.ReadFault(err, l)
	case head.Seq == 0:
		return &fault.Fault{Err: fmt.Errorf("%s has no chained event yet, and so no head", l.Path), Try: "run it again when something is recorded", Code: fault.ExitFailed}
	}
	_, err = fmt.Fprintln(p.Stdout, render.Terminal(head.Word()))
	return err
}
