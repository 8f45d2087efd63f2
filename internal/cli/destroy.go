package cli

import (
	"cmp"
	"context"
	"errors"
	"time"

	"golang.org/x/term"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
	"github.com/contextcore/ccdestroy/internal/terminal"
)

type destroyCmd struct{ destroyFlags }

// Run tears the whole project down.
func (c destroyCmd) Run(ctx context.Context, p Process, code *int) error {
	return c.destroy(ctx, p, code, nil)
}

type downCmd struct {
	destroyFlags
	// The default command has no such flag: somebody who forgets to write "inventory"
	// before --format json must not tear anything down.
	Format   string   `enum:"table,json" default:"table" placeholder:"FORMAT" group:"ccdestroy" help:"json: print how it ended, or why it was refused, to standard output (docs/json.md)."`
	Services []string `arg:"" optional:"" name:"service" completion-predictor:"service" help:"Services to tear down; default: all."`
}

// Run tears the named services down.
func (c downCmd) Run(ctx context.Context, p Process, code *int) error {
	return c.destroy(ctx, p, code, c.Services)
}

func (f destroyFlags) destroy(ctx context.Context, p Process, code *int, services []string) error {
	if f.DryRun {
		look := inventoryCmd{
			projectFlags: f.projectFlags, downFlags: f.downFlags, protectFlag: f.protectFlag,
			Services: services, Format: "table", mustExist: f.MustExist, unprotect: f.Unprotect,
		}
		if p.json {
			look.Format = "json"
		}
		return look.show(ctx, p, f.logFlag)
	}
	options, err := p.options(f.downFlags, f.protectFlag)
	if err != nil {
		return err
	}
	reason, err := p.set.reason(f.Reason)
	if err != nil {
		return err
	}
	if p.Dir == "" {
		return errNoDir
	}
	client, err := p.connect(f.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	place, err := p.place(f.recordFlags, client, f.LockTimeout)
	if err != nil {
		return err
	}
	child := p.compose(f.down(services))
	talk := p.screen(f.PromptTimeout)
	talk.log = place.Path
	if p.json {
		child.Stdout = p.Stderr // standard output is for the program that reads it
	}
	talk.exports = p.exportsIn(f.Export)
	run := teardown.Run{
		Resolver: child, Child: child, Engine: client, Events: events{client}, Containers: client,
		Saver:  &export.Writer{Setting: p.setting(client, f.Quiet), Dir: talk.exports, Complete: true},
		Screen: talk, Place: place, Signals: p.Signals,
		Options: options, Confirm: p.confirmation(f.Yes), Save: f.Export != "", Unprotect: f.Unprotect, Reason: reason,
		LastExports: p.lastExports(f.Export), MustExist: f.MustExist,
	}
	run.Agent = f.agent(p)
	run.Keeper = f.keeper(p, client, run.Confirm, run.Agent)
	if *code, err = run.Do(ctx); err != nil {
		talk.stopped(err)
	}
	p.expire(run.Keeper, run.Aside(), f.engineFlags, f.recordFlags)
	return err
}

// down are the arguments of the child.
func (f destroyFlags) down(services []string) compose.Args {
	args := f.args()
	args.Volumes, args.Images, args.RemoveOrphans, args.Timeout, args.Services = f.Volumes, f.Rmi, f.RemoveOrphans, (*int)(f.Timeout), services
	return args
}

// confirmation decides whether to ask: only a person at a terminal, who is in
// the foreground, and not in CI, where a terminal is often simulated.
func (p Process) confirmation(yes bool) string {
	_, _, vendor := p.who()
	switch {
	case yes:
		return record.ByFlag
	case vendor != "" || !term.IsTerminal(int(p.Stderr.Fd())) || !terminal.Foreground():
		return record.Unattended
	}
	return record.Typed
}

type inventoryCmd struct {
	projectFlags
	downFlags
	protectFlag
	Format   string   `enum:"table,json" default:"table" help:"table or json."`
	Services []string `arg:"" optional:"" name:"service" completion-predictor:"service" help:"Services that would be torn down; default: all."`

	mustExist bool
	unprotect []string
}

// sizesForInventory is how long the inventory alone may wait for sizes.
const sizesForInventory = 10 * time.Second

// Run shows the inventory.
func (c inventoryCmd) Run(ctx context.Context, p Process) error { return c.show(ctx, p, logFlag{}) }

func (c inventoryCmd) show(ctx context.Context, p Process, log logFlag) error {
	options, err := p.options(c.downFlags, c.protectFlag)
	if err != nil {
		return err
	}
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	args := c.args()
	args.Services = c.Services
	place, err := p.place(recordFlags{logFlag: log}, nil, 0)
	if err != nil {
		return err
	}
	inv, snap, err := teardown.Survey{
		Resolver: p.compose(args), Engine: client, Options: options, Place: place, LastExports: p.lastExports(""), Budget: sizesForInventory,
	}.Do(ctx)
	if err != nil {
		return err
	}
	if text := snap.Absent(inventory.Model{Project: inv.Project, Mode: inv.Mode, Fallback: inv.Fallback}); text != "" && c.mustExist {
		return &fault.Fault{Err: errors.New(text), Try: "docker compose ls --all", Code: fault.ExitFailed}
	} else if text != "" {
		p.say("%s", text)
	}
	if err := teardown.Known(inv, c.unprotect); err != nil {
		return err
	}
	inv.Lift(c.unprotect)
	l := place.In(cmp.Or(inv.Dir, p.Dir)).Log
	p.warnHead(l)
	if c.Format == "json" {
		return render.InventoryJSON(p.Stdout, inv)
	}
	style := p.styleFor(p.Stdout, l.Path, inv.Dir)
	if err := render.Inventory(p.Stdout, inv, p.Now(), style); err != nil {
		return err
	}
	u := record.Undoing{Log: l, Now: p.Now()}
	e, _, left, err := u.Newest(func(d record.Details) bool { return d.Project == inv.Project })
	if err != nil || len(left) == 0 { // audit reports a log that cannot be read
		return nil
	}
	return render.CanUndo(p.Stdout, e, left, p.Now(), style)
}
