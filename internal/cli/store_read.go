package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/store"
)

// nothingLeft: what is kept for undo lies on the machines.
func nothingLeft(audit.Event, record.Details) []record.Kept { return nil }

// fromStore shows one operation.
func (c showCmd) fromStore(ctx context.Context, p Process, s *source) error {
	spoilt := 0
	events, lines, err := s.Show(ctx, c.ID, func(store.Key) { spoilt++ })
	s.warnSpoilt(p, spoilt)
	if err != nil {
		return readStore(err)
	}
	if first, last := events[0], events[len(events)-1]; first.Log != last.Log {
		p.say("WARNING: %s: several logs have an operation of this id; ids are meant to be unique, and one of them may be made up", s.name)
	}
	return c.shown(ctx, p, &audit.Log{}, events, lines, func(audit.Event, record.Details) record.Aside { return record.Aside{} })
}

// fromStore verifies all logs.
func (c verifyCmd) fromStore(ctx context.Context, p Process, s *source, heads []audit.Head, code *int) error {
	report, err := s.Verify(ctx, s.name, heads)
	if err != nil {
		return readStore(err)
	}
	if err := c.seals(ctx, p, s, &report); err != nil {
		return readStore(err)
	}
	if !report.Intact() {
		*code = fault.ExitNotIntact
	}
	if c.Format == "json" {
		return render.VerifyJSON(p.Stdout, report)
	}
	return render.VerifyStore(p.Stdout, report, p.style(p.Stdout))
}

// fromStore prints the heads of all logs.
func (c headCmd) fromStore(ctx context.Context, p Process, s *source) error {
	heads, err := s.Heads(ctx)
	if err != nil {
		return readStore(err)
	}
	out := bufio.NewWriter(p.Stdout)
	for _, h := range heads {
		fmt.Fprintln(out, render.Terminal(h.Word()))
	}
	return out.Flush()
}

// fromStore writes the report on all logs.
func (c reportCmd) fromStore(ctx context.Context, p Process, s *source, heads []audit.Head) error {
	verdict, err := s.Verify(ctx, s.name, heads)
	if err != nil {
		return readStore(err)
	}
	report := render.NewReport(s.name, c.words(), p.Now(), verdict)
	report.Undoing = nothingLeft
	if err := s.History(ctx, c.query(0), func(r audit.Record, line []byte) error { return report.Add(r, line) }); err != nil {
		return readStore(err)
	}
	return outputFlags{Output: c.Output, NoPager: true}.write(ctx, p, &audit.Log{}, func(w io.Writer, _ render.Style) error { return report.Page(w) })
}
