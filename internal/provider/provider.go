package provider

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// sizesLimit is how long Compose waits for sizes.
const sizesLimit = 250 * time.Millisecond

// Down is one teardown that Compose itself performs.
type Down struct {
	Project string
	Caller  Caller
	Require string // "export": refuse to destroy volumes of which there is no export
	// Place has a Book whose Program and Args are the same teardown, as a call of this
	// program: what a refusal says to try.
	Place  record.Place
	Engine teardown.Engine
	// Resolver is Compose with these arguments.
	Resolver    func(compose.Args) teardown.Resolver
	Options     inventory.Options
	Reason      string
	Agent       record.Agent // that runs Compose
	LastExports teardown.LastExports
	Dir         string // working directory, for a project that has none
	// Leave starts the process that records the outcome, and hands it the open
	// files.
	Leave   Leave
	Signals <-chan os.Signal

	survey teardown.Survey
}

// Do records that the teardown begins, and returns its id. An error means that
// Compose must stop.
func (d *Down) Do(ctx context.Context) (id string, err error) {
	var first inventory.Inventory
	if err := d.guarded(ctx, func(ctx context.Context) (err error) { first, err = d.find(ctx); return err }); err != nil {
		return "", err
	}
	dir := first.Dir
	if dir == "" {
		dir = d.Dir
	}
	book := d.Place.In(dir)
	// A second provider of the same Compose must not wait for the first, which
	// waits for Compose to end.
	var release func()
	var began string
	err = d.guarded(ctx, func(ctx context.Context) (err error) {
		release, began, err = book.Beside(ctx, d.Caller.PID, actor.StartOf(d.Caller.PID))
		return err
	})
	if release != nil { // even if a signal came at that moment
		defer release()
	}
	if err != nil {
		return "", err
	}
	if began != "" {
		return began, d.refuse(first)
	}
	o, err := record.Life{
		Book: book, Operation: audit.Destroy, EngineID: first.Engine.ID, Project: first.Project, Signals: d.Signals,
		Details: func(details *record.Details) {
			details.Inventory, details.Command, details.Confirmation = first, d.Caller.Argv, record.Unattended
			details.Why, details.Actor = d.Reason, byProcess(details.Actor, d.Caller.PID)
		},
	}.Begin(ctx, d)
	if err != nil {
		return "", err
	}
	// A crash from here on leaves an unfinished operation, as any teardown that is
	// killed.
	if err := d.Leave(o.ID, book.Log.Path, d.Caller, o.Held()); err != nil {
		defer o.Close()
		return "", o.Stop(ctx, nil, fmt.Errorf("start the process that records the outcome: %w", err))
	}
	o.Leave()
	return o.ID, nil
}

// guarded does what comes before the operation. A signal ends it.
func (d *Down) guarded(ctx context.Context, do func(context.Context) error) error {
	sig, err := fault.Guard(ctx, d.Signals, do)
	if sig != nil {
		return fault.StoppedBy(sig, "nothing was destroyed")
	}
	return err
}

// find decides how the project is to be looked at: as the caller's command line
// says, or only by its name if that leads elsewhere.
func (d *Down) find(ctx context.Context) (inventory.Inventory, error) {
	byName := compose.Args{ProjectName: d.Project}
	args := d.Caller.Args
	if slices.Contains(args.Files, "-") { // Compose has read it, and it is gone
		args = byName
	}
	inv, err := d.look(ctx, args)
	if (err != nil || inv.Project != d.Project) && args.ProjectName != d.Project {
		inv, err = d.look(ctx, byName)
	}
	return inv, err
}

func (d *Down) look(ctx context.Context, args compose.Args) (inventory.Inventory, error) {
	d.survey = teardown.Survey{Resolver: d.Resolver(args), Engine: d.Engine, Options: d.Options, Place: d.Place, LastExports: d.LastExports, Budget: sizesLimit}
	inv, _, err := d.survey.Do(ctx)
	return inv, err
}

// Look looks at the project as it was found.
func (d *Down) Look(ctx context.Context) (inventory.Inventory, error) {
	inv, _, err := d.survey.Do(ctx)
	return inv, err
}

// Agree refuses what is protected, and what was never exported if that is
// required.
func (d *Down) Agree(_ context.Context, o *record.Operation, _ []inventory.Change) (ready bool, err error) {
	err = d.refuse(o.Details.Inventory)
	return err == nil, err
}

func (d *Down) refuse(inv inventory.Inventory) error {
	again := d.Place.Book.Again
	if refused := inv.Refusals(nil); len(refused) > 0 {
		return teardown.Protected(refused, again)
	}
	if err := d.Agent.Refuses(inv, false, again()); err != nil {
		return err
	}
	var missing []string
	for _, r := range inv.Resources {
		if d.Require == "export" && r.Kind == inventory.KindVolume && r.Asked && (r.LastExport == nil || !r.LastExport.There) {
			missing = append(missing, r.Name)
		}
	}
	if len(missing) > 0 {
		return fault.Refused(again("--export", "DIR"), "no export of volume %s exists", strings.Join(missing, ", "))
	}
	return nil
}
