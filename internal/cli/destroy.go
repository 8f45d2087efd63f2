package cli

import (
	"cmp"
	"context"
	"errors"
	"time"

	"golang.org/x/term"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type destroyCmd struct{ destroyFlags }

// Run tears the whole project down.
func (c destroyCmd) Run(ctx context.Context, p Process, code *int) error {
	return c.destroy(ctx, p, code, nil)
}

type downCmd struct {
	destroyFlags
	Services []string `arg:"" optional:"" name:"service" help:"Services to tear down; none means all."`
}

// Run tears the named services down.
func (c downCmd) Run(ctx context.Context, p Process, code *int) error {
	return c.destroy(ctx, p, code, c.Services)
}

func (f destroyFlags) destroy(ctx context.Context, p Process, code *int, services []string) error {
	if f.DryRun {
		look := inventoryCmd{projectFlags: f.projectFlags, downFlags: f.downFlags, Services: services, Format: "table"}
		return look.show(ctx, p, f.logFlag)
	}
	if p.Dir == "" {
		return errors.New("the working directory cannot be told: it may have been deleted")
	}
	client, err := p.engine(f.projectFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	args := f.args()
	args.Volumes, args.Images, args.RemoveOrphans, args.Timeout, args.Services = f.Volumes, f.Rmi, f.RemoveOrphans, (*int)(f.Timeout), services
	user, claims, vendor := p.who()
	exports := p.exportsDir
	if f.Export != "" {
		exports = func(string) string { return p.abs(f.Export) }
	}
	talk := screen{p, f.PromptTimeout, vendor, exports}
	run := teardown.Run{
		Compose: p.compose(args), Daemon: daemon{client}, Save: f.Export != "",
		Saver:   &export.Writer{Setting: p.setting(daemon{client}, f.Quiet), Dir: exports, Complete: true},
		Log:     func(dir string) teardown.Recorder { return p.opened(ctx, f.logFlag, dir, client) },
		Screen:  talk,
		Signals: p.Signals, Options: f.options(p.Getenv), Confirm: f.confirmation(p, vendor != ""),
		Unprotect: f.Unprotect, Reason: f.Reason, User: user, Actor: claims,
		Tool: "ccdestroy " + version(), Now: p.Now, NewID: newID, LastExports: p.lastExports(f.logFlag),
	}
	if f.Log != "" {
		run.FailedIn = func() teardown.Recorder { return p.logIn(f.logFlag, p.Dir) }
	}
	if *code, err = run.Do(ctx); err != nil {
		talk.stopped(err)
	}
	return err
}

// recentBytes is how far back a teardown looks for unfinished operations; the
// reconcile command reads the whole log.
const recentBytes = 1 << 20

// opened is the log of the project, with what earlier runs left unfinished
// settled first.
func (p Process) opened(ctx context.Context, f logFlag, dir string, c *engine.Client) teardown.Recorder {
	l := p.logIn(f, dir)
	p.warnHead(l)
	_, obstacles, _ := p.settle(ctx, l, c, recentBytes) // a log that cannot be read is refused in a moment
	for _, err := range obstacles {
		p.say("ccdestroy: %v", err)
	}
	return l
}

// confirmation decides whether to ask: only a person at a terminal, who is in
// the foreground, and not in CI, where a terminal is often simulated.
func (f destroyFlags) confirmation(p Process, ci bool) teardown.Confirmation {
	switch {
	case f.Yes:
		return teardown.ByFlag
	case ci || !term.IsTerminal(int(p.Stderr.Fd())) || !foreground():
		return teardown.Unattended
	}
	return teardown.Interactive
}

type inventoryCmd struct {
	projectFlags
	downFlags
	Format   string   `enum:"table,json" default:"table" help:"table or json."`
	Services []string `arg:"" optional:"" name:"service" help:"Services that would be torn down; none means all."`
}

// sizesForInventory is how long the inventory alone may wait for sizes.
const sizesForInventory = 10 * time.Second

// Run shows the inventory.
func (c inventoryCmd) Run(ctx context.Context, p Process) error { return c.show(ctx, p, logFlag{}) }

func (c inventoryCmd) show(ctx context.Context, p Process, log logFlag) error {
	client, err := p.engine(c.projectFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	args := c.args()
	args.Services = c.Services
	inv, err := teardown.Look(ctx, p.compose(args), daemon{client}, c.options(p.Getenv), p.lastExports(log), sizesForInventory)
	if err != nil {
		return err
	}
	p.warnHead(p.logIn(log, cmp.Or(inv.Dir, p.Dir)))
	if c.Format == "json" {
		return render.InventoryJSON(p.Stdout, inv)
	}
	return render.Inventory(p.Stdout, inv, p.Now(), p.style(p.Stdout))
}

var _ teardown.Recorder = (*audit.Log)(nil)
