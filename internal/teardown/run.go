package teardown

import (
	"cmp"
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// Run is one teardown. All fields are needed but Save, Unprotect, Reason,
// LastExports, Keeper, Agent and Still.
type Run struct {
	Resolver   Resolver
	Child      Child
	Engine     Engine
	Events     Events
	Containers Containers
	Saver      Saver
	Screen     Screen
	Place      record.Place // of the records
	Signals    <-chan os.Signal

	Options     inventory.Options
	Confirm     string   // record.Typed: ask; ByFlag, Unattended
	Save        bool     // export the volumes first
	Unprotect   []string // protected volumes that may go, by name or by Compose key
	Reason      string
	LastExports LastExports
	Keeper      *trash.Keeper // nil destroys for good
	Agent       record.Agent  // that runs this
	MustExist   bool          // a project of which the engine has nothing is an error
	// Still says of the first look, for which images are listed as well, why nothing
	// is to be destroyed after all.
	Still func(inventory.Snapshot) error

	project project
	book    *record.Book
	before  inventory.Snapshot // of the last look
	watch   Watcher            // since the last look
	agreed  bool               // what the first look showed
	blind   bool               // the engine could not be followed until the last look
	secured secured
	began   time.Time // the child
	exit    fault.Exit
	verdict inventory.Verdict
	// unstarted is why Compose could not be started: nothing was destroyed.
	unstarted error
	aside     []record.Kept // what is set aside
}

// Aside is what Do has set aside.
func (r *Run) Aside() []record.Kept { return r.aside }

// project is the project that the command line means.
type project struct {
	inventory.Model
	engine  inventory.Engine
	compose string // its version
}

// Do runs the teardown and returns the exit code. A returned error is always a
// *fault.Fault and says why nothing was destroyed.
func (r *Run) Do(ctx context.Context) (int, error) {
	sig, err := fault.Guard(ctx, r.Signals, r.resolve)
	life := r.life()
	if err != nil {
		return r.unresolved(ctx, life, sig, err)
	}
	defer r.unwatch()
	r.book = life.Book
	absent := false
	sig, err = fault.Guard(ctx, r.Signals, func(ctx context.Context) (err error) { absent, err = r.absent(ctx); return err })
	switch {
	case sig != nil:
		return r.unresolved(ctx, life, sig, err)
	case err != nil:
		return fault.AsFault(err).Code, err
	case absent:
		return fault.ExitOK, nil
	}
	o, end, unrecorded, err := life.Run(ctx, r)
	if err != nil {
		return fault.AsFault(err).Code, err
	}
	r.aside = o.Details.Kept
	if r.unstarted != nil {
		if unrecorded != nil {
			r.book.Note("not recorded: " + unrecorded.Error())
		}
		return fault.AsFault(r.unstarted).Code, fault.AsFault(r.unstarted)
	}
	done := r.ending(o, end, unrecorded)
	r.Screen.Done(done)
	return done.Code, nil
}

// resolve finds out at once which project and which engine the command means.
func (r *Run) resolve(ctx context.Context) error {
	p, err := resolve(ctx, r.Resolver, r.Engine)
	r.project = p
	return err
}

func resolve(ctx context.Context, c Resolver, e Engine) (p project, err error) {
	var versionErr, modelErr, engineErr error
	var wg sync.WaitGroup
	wg.Go(func() { p.compose, versionErr = c.Version(ctx) })
	wg.Go(func() { p.Model, modelErr = c.Model(ctx) })
	wg.Go(func() { p.engine, engineErr = e.Describe(ctx) })
	wg.Wait()
	return p, cmp.Or(versionErr, modelErr, engineErr)
}

// absent reports whether a project that was named has nothing on the engine. That
// is reported, and neither recorded nor an error, as with Compose. If the log has
// something to settle, the teardown proceeds as usual.
func (r *Run) absent(ctx context.Context) (bool, error) {
	if r.project.Mode != inventory.Labels || r.project.Fallback != "" {
		return false, nil
	}
	snap, err := r.Engine.Snapshot(ctx, r.scope())
	text := snap.Absent(r.project.Model)
	switch {
	case err != nil || text == "":
		return false, nil // what the engine says is recorded by the look that follows
	case r.MustExist:
		return true, &fault.Fault{Err: errors.New(text), Try: "docker compose ls --all", Code: fault.ExitFailed}
	case !r.book.Still():
		return false, nil
	}
	r.Screen.Tell(text)
	return true, nil
}

// life is the record of this teardown in the log of its project.
func (r *Run) life() record.Life {
	return record.Life{
		Book: r.Place.In(r.project.Dir), Operation: audit.Destroy, Signals: r.Signals,
		EngineID: r.project.engine.ID, Project: r.project.Project, Details: r.describe,
	}
}

func (r *Run) describe(d *record.Details) {
	d.Inventory = inventory.Inventory{
		Project: r.project.Project, Mode: r.project.Mode, Dir: r.project.Dir, Files: r.project.Files,
		Fallback: r.project.Fallback, Services: r.project.Named, Engine: r.project.engine,
	}
	d.Compose, d.Via, d.Why = r.project.compose, r.project.Via, r.Reason
	d.Command, d.Executed = r.Child.Command(), r.Child.Executed()
}

// unresolved ends a teardown whose project could not be determined.
// It is recorded where there is a log for it.
func (r *Run) unresolved(ctx context.Context, l record.Life, sig os.Signal, err error) (int, error) {
	if r.project.Dir == "" && r.Place.Path == "" {
		if sig != nil {
			err = fault.StoppedBy(sig, "nothing was destroyed")
		}
		stopped := fault.AsFault(err)
		return stopped.Code, stopped
	}
	err = l.Fail(ctx, sig, err)
	return fault.AsFault(err).Code, err
}

func (r *Run) unwatch() {
	if r.watch != nil {
		r.watch.Stop()
	}
}

// ending is how it ended, for the screen.
func (r *Run) ending(o *record.Operation, end record.Ended, unrecorded error) record.Ending {
	e := record.Ending{
		Kept: o.Details.Kept,
		ID:   o.ID, Outcome: end.Outcome, Verdict: r.verdict, Inventory: o.Details.Inventory, Exit: r.exit, Unrecorded: unrecorded,
		Duration: r.book.Now().Sub(r.began), Saved: o.ExportPath, Program: r.book.Program, Args: r.book.Args, Code: end.Code(fault.SignalNumber(r.exit.Signal), unrecorded),
	}
	if end.Outcome == audit.Pending {
		e.Unknown = end.Err
	}
	return e
}
