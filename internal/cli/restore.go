package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type restoreCmd struct {
	Export        string        `arg:"" name:"export" completion-predictor:"file" help:"Directory of the export."`
	Volumes       []string      `arg:"" optional:"" name:"volume" help:"Volumes of the export, by name or key; none means all."`
	As            string        `fixed:"" placeholder:"NAME" help:"Restore one volume under another name."`
	Overwrite     bool          `fixed:"" help:"Remove volumes of these names first that have content."`
	Yes           bool          `short:"y" help:"Do not ask before that."`
	Quiet         bool          `short:"q" help:"Do not show how far it is."`
	Reason        string        `fixed:"" placeholder:"TEXT" help:"Why; kept in the record."`
	PromptTimeout time.Duration `default:"10m" placeholder:"TIME" help:"How long the question waits for an answer (${default})."`
	Host          string        `short:"H" placeholder:"ADDRESS" help:"Docker Engine to restore to."`
	Context       string        `placeholder:"NAME" help:"Docker context to use."`
	logFlag
}

// Run restores.
func (c restoreCmd) Run(ctx context.Context, p Process, code *int) error {
	e, volumes, err := c.find(p)
	if err != nil {
		return err
	}
	client, err := p.engine(projectFlags{Host: c.Host, Context: c.Context})
	if err != nil {
		return err
	}
	defer client.Close()
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	user, actor, vendor := p.who()
	run := export.Restore{
		Setting: p.setting(daemon{client}, c.Quiet), Entry: p.entry(l, audit.Restore, user, actor, c.Reason),
		Export: e, Volumes: volumes, As: c.As, Overwrite: c.Overwrite, Signals: p.Signals,
	}
	run.Entry.Details.Dir = p.Dir
	run.Confirm = func(ctx context.Context, inv teardown.Inventory) error {
		flags := destroyFlags{Yes: c.Yes}
		how := flags.confirmation(p, vendor != "")
		run.Entry.Details.Confirmation = string(how)
		if how != teardown.Interactive {
			return nil
		}
		return c.ask(ctx, p, inv)
	}
	began := p.Now()
	done, err := run.Do(ctx)
	if shown := render.Restored(p.Stderr, done.Volumes, done.Differences, p.Now().Sub(began), p.style(p.Stderr)); shown != nil && err == nil {
		err = shown
	}
	if err == nil && len(done.Differences) > 0 {
		*code = teardown.ExitPartial
	}
	return err
}

// find opens the export and finds the volumes in it.
func (c restoreCmd) find(p Process) (*archive.Export, []archive.Volume, error) {
	wrong := func(try, format string, args ...any) error {
		return &teardown.Fault{Err: fmt.Errorf(format, args...), Try: try, Code: teardown.ExitUsage}
	}
	e, err := archive.Open(filepath.Clean(p.abs(c.Export)))
	if err != nil {
		return nil, nil, &teardown.Fault{Err: err, Try: "ccdestroy exports lists what there is", Code: teardown.ExitFailed}
	}
	volumes := e.Manifest.Volumes
	if len(c.Volumes) > 0 {
		volumes = nil
	}
	for _, name := range c.Volumes {
		v, found := e.Manifest.Find(name)
		if !found {
			return nil, nil, wrong("ccdestroy exports --format json "+filepath.Dir(e.Dir), "volume %q is not in the export", name)
		}
		volumes = append(volumes, v)
	}
	if c.As != "" && len(volumes) != 1 {
		return nil, nil, wrong("ccdestroy restore EXPORT VOLUME --as NAME", "--as names one volume, and there are %d", len(volumes))
	}
	return e, volumes, nil
}

func (c restoreCmd) ask(ctx context.Context, p Process, inv teardown.Inventory) error {
	s := screen{p: p, timeout: c.PromptTimeout}
	s.Inventory(inv, true)
	return s.confirm(ctx, "overwrite", "destroy what these volumes hold now", "cancelled: nothing was restored")
}
