package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/prune"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type pruneCmd struct {
	All           bool          `fixed:"" short:"a" help:"Also volumes that somebody named. (Engines before 23 always take those.)"`
	Filter        []string      `fixed:"" sep:"none" placeholder:"FILTER" help:"Only volumes with a label: label=KEY, label=KEY=VALUE; without: label!=KEY, label!=KEY=VALUE. Repeatable."`
	DryRun        bool          `help:"Show what would go; destroy and record nothing."`
	Yes           bool          `short:"y" help:"Do not ask."`
	Unprotect     []string      `sep:"none" placeholder:"VOLUME" completion-predictor:"volume" help:"Destroy this volume although its label ccdestroy.protect=true forbids it. Repeatable."`
	Reason        string        `placeholder:"TEXT" help:"Why; kept in the record."`
	PromptTimeout time.Duration `default:"10m" placeholder:"TIME" help:"How long the question waits for an answer (${default})."`
	Host          string        `short:"H" placeholder:"ADDRESS" help:"Docker Engine to talk to."`
	Context       string        `placeholder:"NAME" help:"Docker context to use."`
	logFlag
}

// pruneWord is what the user types.
const pruneWord = "prune"

// Run prunes.
func (c pruneCmd) Run(ctx context.Context, p Process, code *int) error {
	client, err := p.engine(projectFlags{Host: c.Host, Context: c.Context})
	if err != nil {
		return err
	}
	defer client.Close()
	options := prune.Options{Unprotect: c.Unprotect}
	for _, text := range append(client.PruneFilters(c.Filter), c.Filter...) {
		f, err := prune.ParseFilter(text)
		if err != nil {
			return &teardown.Fault{Err: err, Try: "ccdestroy prune --help", Code: teardown.ExitUsage}
		}
		options.Filters = append(options.Filters, f)
	}
	if _, err := (daemon{client}).Describe(ctx); err != nil { // the version is known from here on
		return err
	}
	options.OnlyAnonymous = client.PrunesOnlyAnonymous() && !c.All
	sizes, cancel := context.WithTimeout(ctx, sizesForInventory)
	defer cancel()
	if c.DryRun {
		inv, _, err := prune.Look(ctx, sizes, daemon{client}, options)
		if err != nil {
			return err
		}
		return render.Inventory(p.Stdout, inv, p.Now(), p.style(p.Stdout))
	}
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	_, obstacles, _ := p.settle(ctx, l, client, recentBytes) // a log that cannot be read is refused in a moment
	for _, err := range obstacles {
		p.say("ccdestroy: %v", err)
	}
	p.warnHead(l)
	user, actor, vendor := p.who()
	run := prune.Run{Engine: daemon{client}, Entry: p.entry(l, audit.Prune, user, actor, c.Reason), Options: options, Signals: p.Signals}
	run.Confirm = func(ctx context.Context, inv teardown.Inventory) error {
		how := destroyFlags{Yes: c.Yes}.confirmation(p, vendor != "")
		run.Entry.Details.Confirmation = string(how)
		return c.confirm(ctx, p, inv, how)
	}
	began := p.Now()
	verdict, err := run.Do(ctx, sizes)
	if err != nil || verdict.Outcome == "" {
		return err
	}
	*code = teardown.ExitOf(verdict.Outcome, run.Signal)
	return render.Pruned(p.Stderr, verdict, run.Entry.ID, p.Now().Sub(began), p.style(p.Stderr))
}

func (c pruneCmd) confirm(ctx context.Context, p Process, inv teardown.Inventory, how teardown.Confirmation) error {
	s := screen{p: p, timeout: c.PromptTimeout}
	s.Inventory(inv, true)
	if how != teardown.Interactive || inv.Empty() {
		return nil
	}
	return s.confirm(ctx, pruneWord, "destroy these volumes", "cancelled: nothing was removed")
}

// confirm asks for a word, as for a project's name.
func (s screen) confirm(ctx context.Context, word, what, cancelled string) error {
	tty, err := os.OpenFile(ttyPath, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open the terminal: %w", err)
	}
	defer tty.Close()
	release, err := s.turn(ctx)
	if err != nil {
		return &teardown.Fault{Err: errors.New(cancelled), Code: teardown.ExitDeclined}
	}
	defer release()
	_, answer, err := s.question(ctx, tty, word, word, what)
	if err == nil && answer != teardown.Typed {
		err = &teardown.Fault{Err: errors.New(cancelled), Code: teardown.ExitDeclined}
	}
	return err
}
