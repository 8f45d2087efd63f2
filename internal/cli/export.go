package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// exportsName is where exports lie below a project directory when nobody says
// otherwise.
const exportsName = "exports"

// exportsDir is the default directory for exports of a project.
func (p Process) exportsDir(project string) string {
	return filepath.Join(project, filepath.Dir(audit.DefaultPath), exportsName)
}

// exportsIn is the directory for exports of any project that was named, else the
// default one.
func (p Process) exportsIn(dir string) func(project string) string {
	if dir == "" {
		return p.exportsDir
	}
	return func(string) string { return p.abs(dir) }
}

type exportCmd struct {
	projectFlags
	Output  string   `fixed:"" short:"o" placeholder:"DIR" completion-predictor:"file" group:"ccdestroy" help:"Directory to put the export into (default: .contextcore/exports in the project directory)."`
	Stop    bool     `group:"ccdestroy" help:"Stop the containers that use the volumes during the export, then start them again."`
	Quiet   bool     `short:"q" group:"ccdestroy" help:"Hide progress."`
	Reason  string   `placeholder:"TEXT" group:"ccdestroy" help:"Reason, kept in the record."`
	Volumes []string `arg:"" optional:"" name:"volume" completion-predictor:"volume" help:"Volumes, by name or by key in the Compose files; default: all that a teardown would destroy."`
	lockFlag
	recordFlags
}

// Run exports. Standard output gets the directory of the export.
func (c exportCmd) Run(ctx context.Context, p Process) error {
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	place, err := p.place(c.recordFlags, client, c.LockTimeout)
	if err != nil {
		return err
	}
	survey := teardown.Survey{Resolver: p.compose(c.args()), Engine: client, Options: inventory.Options{Volumes: true}, Place: place, Budget: sizesForInventory}
	selection := export.Selection{Project: survey, Engine: client, Words: c.Volumes, Dir: p.Dir}
	run := export.Run{
		Writer: export.Writer{Setting: p.setting(client, c.Quiet), Dir: p.exportsIn(c.Output), Live: !c.Stop},
		Place:  place, Select: selection.Find, Pause: c.Stop, Reason: c.Reason, Signals: p.Signals,
	}
	began := p.Now()
	saved, err := run.Do(ctx)
	if errors.Is(err, record.ErrNothing) {
		p.say("Nothing to export for %s", run.Project)
		return nil
	}
	if err != nil {
		return err
	}
	e, err := archive.Open(saved.Path)
	if err != nil {
		return err
	}
	if err := render.Exported(p.Stderr, e.Manifest, p.Now().Sub(began), p.styleFor(p.Stderr, run.Log, "")); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.Stdout, saved.Path)
	return err
}
