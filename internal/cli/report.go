package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
)

type reportCmd struct {
	Output string   `short:"o" default:"-" placeholder:"FILE" completion-predictor:"file" help:"Write to this file, all at once at the end; - is standard output."`
	Head   []string `sep:"none" placeholder:"WORD" help:"Check that the log contains this head. Repeatable."`
	filterFlags
	logFlag
	sourceFlag
}

// Validate is called by the parser.
func (c reportCmd) Validate() error { return c.filter().Check() }

// Run writes the page.
func (c reportCmd) Run(ctx context.Context, p Process) error {
	heads, err := parseHeads(c.Head)
	if err != nil {
		return err
	}
	s, err := p.source(c.sourceFlag)
	if err != nil {
		return err
	}
	if s != nil {
		return c.fromStore(ctx, p, s, heads)
	}
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	verdict, err := l.Verify(heads)
	if errors.Is(err, fs.ErrNotExist) {
		return record.NoLog(l)
	}
	if err != nil {
		return record.ReadFault(err, l)
	}
	report := render.NewReport(l.Path, c.words(), p.Now(), verdict)
	report.Undoing = undoing(p, l)
	scanned, err := l.History(c.filter().Query(0), func(r audit.Record, line []byte) error { return report.Add(r, line) })
	if err := noted(p, l, scanned, err); err != nil {
		return record.ReadFault(err, l)
	}
	return outputFlags{Output: c.Output, NoPager: true}.write(ctx, p, l, func(w io.Writer, _ render.Style) error { return report.Page(w) })
}

// words is the filter as it could be given again.
func (f filterFlags) words() string {
	var b strings.Builder
	add := func(flag string, values ...string) {
		for _, v := range values {
			if v != "" {
				b.WriteString(" --" + flag + " " + fault.Shell(v))
			}
		}
	}
	add("operation", f.Operation...)
	add("outcome", f.Outcome...)
	add("user", f.User...)
	add("project", f.Project...)
	add("volume", f.Volume...)
	add("host", f.Host...)
	if !f.Since.IsZero() {
		add("since", f.Since.UTC().Format("2006-01-02T15:04:05Z"))
	}
	if !f.Until.IsZero() {
		add("until", f.Until.UTC().Format("2006-01-02T15:04:05Z"))
	}
	add("grep", f.Grep)
	return strings.TrimSpace(b.String())
}
