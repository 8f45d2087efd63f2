package cli

import (
	"context"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
)

type restoreCmd struct {
	Export      string     `arg:"" name:"export" completion-predictor:"export" help:"Directory of the export."`
	Volumes     []string   `arg:"" optional:"" name:"volume" completion-predictor:"archived" help:"Volumes of the export, by name or key; default: all."`
	As          volumeName `fixed:"" placeholder:"NAME" help:"Restore one volume under another name."`
	Overwrite   bool       `fixed:"" help:"First remove existing volumes of these names that have content."`
	WithOptions bool       `fixed:"" help:"Create volumes with the driver and options that the export names. Read them first: they can lead to any directory of the host."`
	Quiet       bool       `short:"q" help:"Hide progress."`
	Reason      string     `fixed:"" placeholder:"TEXT" help:"Reason, kept in the record."`
	askFlags
	engineFlags
	protectFlag
	agentsFlag
	lockFlag
	recordFlags
}

// Run restores.
func (c restoreCmd) Run(ctx context.Context, p Process, code *int) error {
	protect, err := p.set.patterns(c.Protect)
	if err != nil {
		return err
	}
	reason, err := p.set.reason(c.Reason)
	if err != nil && c.Overwrite {
		return err
	}
	if err := c.agent(p).Ends(); err != nil && c.Overwrite {
		return err
	}
	e, volumes, err := c.find(p)
	if err != nil {
		return err
	}
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	book, err := p.bookHere(c.recordFlags, client, c.LockTimeout)
	if err != nil {
		return err
	}
	talk, how := p.screen(c.PromptTimeout), p.confirmation(c.Yes)
	run := export.Restore{
		Setting: p.setting(client, c.Quiet), Book: book, Export: e, Volumes: volumes, Dir: p.Dir, Reason: reason, Signals: p.Signals,
		Options: export.RestoreOptions{As: string(c.As), Overwrite: c.Overwrite, WithOptions: c.WithOptions, Protect: protect},
		Confirm: func(ctx context.Context, o *record.Operation, changes []inventory.Change) error {
			return talk.confirmChange(ctx, o, changes, how, "overwrite", "destroy what these volumes hold now", "nothing was restored")
		},
	}
	began := p.Now()
	done, err := run.Do(ctx)
	if shown := render.Restored(p.Stderr, done.ID, done.Volumes, done.Differences, p.Now().Sub(began), p.styleFor(p.Stderr, book.Log.Path, "")); shown != nil && err == nil {
		err = shown
	}
	if err == nil && len(done.Differences) > 0 {
		*code = fault.ExitPartial
	}
	return err
}

// find opens the export and finds the volumes in it.
func (c restoreCmd) find(p Process) (*archive.Export, []archive.Volume, error) {
	dir := filepath.Clean(p.abs(c.Export))
	e, err := archive.Open(dir)
	if err != nil {
		return nil, nil, noExport(dir, err, fault.ExitFailed)
	}
	volumes := e.Manifest.Volumes
	if len(c.Volumes) > 0 {
		volumes = nil
	}
	for _, name := range c.Volumes {
		v, found := e.Manifest.Find(name)
		if !found {
			return nil, nil, fault.Usage(fault.Command("ccdestroy", "exports", "--format", "json", filepath.Dir(e.Dir)), "volume %q is not in the export", name)
		}
		volumes = append(volumes, v)
	}
	if c.As != "" && len(volumes) != 1 {
		return nil, nil, fault.Usage("ccdestroy restore EXPORT VOLUME --as NAME", "--as names one volume, and there are %d", len(volumes))
	}
	return e, volumes, nil
}
