package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/prune"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
)

type pruneCmd struct {
	All       bool     `fixed:"" short:"a" help:"Also named volumes. (Engines before 23 always include them.)"`
	Filter    []string `fixed:"" sep:"none" placeholder:"FILTER" help:"Only volumes with a label: label=KEY, label=KEY=VALUE; without: label!=KEY, label!=KEY=VALUE. Repeatable."`
	Format    string   `enum:"table,json" default:"table" placeholder:"FORMAT" help:"json: print how it ended, or why it was refused, to standard output (docs/json.md)."`
	DryRun    bool     `signals:"end" help:"Show what would be destroyed; destroy and record nothing."`
	Unprotect []string `sep:"none" placeholder:"VOLUME" completion-predictor:"volume" help:"Destroy this volume even though it is protected. Repeatable."`
	Reason    string   `placeholder:"TEXT" help:"Reason, kept in the record."`
	askFlags
	engineFlags
	protectFlag
	keepFlag
	agentsFlag
	recordFlags
}

// Run prunes.
func (c pruneCmd) Run(ctx context.Context, p Process, code *int) error {
	protect, err := p.set.patterns(c.Protect)
	if err != nil {
		return err
	}
	reason, err := p.set.reason(c.Reason)
	if err != nil && !c.DryRun {
		return err
	}
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	var book *record.Book
	if !c.DryRun {
		if book, err = p.bookHere(c.recordFlags, client, 0); err != nil {
			return err
		}
	}
	var is inventory.Engine
	if err := p.before(ctx, "nothing was removed", func(ctx context.Context) (err error) { is, err = client.Describe(ctx); return err }); err != nil {
		return err
	}
	options, err := c.options(client)
	if err != nil {
		return err
	}
	options.Protect = protect
	run := prune.Run{Engine: client, Is: is, Book: book, Options: options, Reason: reason, Budget: sizesForInventory, Signals: p.Signals}
	if c.DryRun {
		inv, err := run.Look(ctx)
		if err != nil {
			return err
		}
		if p.json {
			return render.InventoryJSON(p.Stdout, inv)
		}
		return render.Inventory(p.Stdout, inv, p.Now(), p.style(p.Stdout))
	}
	talk, how := p.screen(c.PromptTimeout), p.confirmation(c.Yes)
	talk.log = book.Log.Path
	run.Confirm = func(ctx context.Context, o *record.Operation, changes []inventory.Change) error {
		return talk.confirmChange(ctx, o, changes, how, "prune", "destroy these volumes", "nothing was removed")
	}
	run.Agent = c.agent(p)
	run.Keeper = c.keeper(p, client, how, run.Agent)
	began := p.Now()
	done, err := run.Do(ctx)
	nothing := errors.Is(err, record.ErrNothing)
	if nothing {
		done.Outcome, err = audit.Success, nil
	}
	if err == nil && p.json {
		err = render.EndingJSON(p.Stdout, record.Ending{ID: done.ID, Outcome: done.Outcome, Verdict: done.Verdict, Kept: done.Kept, Code: done.Code})
	}
	if err != nil || nothing {
		return err
	}
	*code = done.Code
	p.expire(run.Keeper, done.Kept, c.engineFlags, c.recordFlags)
	style := p.styleFor(p.Stderr, book.Log.Path, "")
	if err := render.Pruned(p.Stderr, done.Outcome, done.Verdict, done.Kept, done.ID, p.Now().Sub(began), style); err != nil || done.Err == nil {
		return err
	}
	_, err = fmt.Fprint(p.Stderr, style.Complaint(done.Err.Error(), fault.AsFault(done.Err).Try))
	return err // a program has its JSON already
}

// options decide what goes, as docker volume prune has it on this engine.
func (c pruneCmd) options(client *engine.Client) (o prune.Options, err error) {
	o = prune.Options{Unprotect: c.Unprotect, OnlyAnonymous: client.PrunesOnlyAnonymous() && !c.All}
	for _, text := range append(client.PruneFilters(c.Filter), c.Filter...) {
		f, err := prune.ParseFilter(text)
		if err != nil {
			return o, &fault.Fault{Err: err, Try: "ccdestroy prune --help", Code: fault.ExitUsage}
		}
		o.Filters = append(o.Filters, f)
	}
	return o, nil
}
