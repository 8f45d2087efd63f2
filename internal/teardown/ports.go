package teardown

import (
	"context"
	"os"
	"time"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Engine is the Docker Engine that the child will talk to as well. Its methods
// may be called at once from several goroutines.
type Engine interface {
	// Describe says which engine it is.
	Describe(context.Context) (inventory.Engine, error)
	// Snapshot lists what the engine has.
	Snapshot(context.Context, inventory.Scope) (inventory.Snapshot, error)
	// Measure returns the sizes that it finds out before ctx ends. It never
	// fails: a size that is not there is unknown.
	Measure(context.Context, []inventory.Volume) map[string]inventory.Size
}

// Events follows what is created and destroyed on the engine.
type Events interface {
	// Watch follows the engine from before it returns until Stop. The context ends
	// the wait for the engine's answer, not what begins with that.
	Watch(context.Context) Watcher
}

// Watcher follows an engine.
type Watcher interface {
	// Seen is what was reported so far.
	Seen() inventory.Seen
	// News receives something each time that more is known about what was created.
	News() <-chan struct{}
	// Stop ends it and returns everything that was reported. It may be called again.
	Stop() inventory.Seen
}

// Containers are started and stopped by id. One that is gone, or that runs or
// rests already, is no error.
type Containers interface {
	Start(ctx context.Context, ids []string) error // in the given order
	Stop(ctx context.Context, ids []string) error  // all at once
	// Sweep removes the helper of a dead operation, whose lock is at this path.
	Sweep(ctx context.Context, lock string) error
}

// starter stops and starts containers, and looks whether they run.
type starter struct {
	Containers
	Engine
}

// Saver exports volumes before they go. After an error nothing may be
// destroyed.
type Saver interface {
	// Save exports the volumes, which the inventory describes, and verifies
	// what it wrote. It calls stop, if that is not nil, as soon as all has been
	// read that the stop of the services would lose. It may be called again for
	// further volumes. lock is the path of the operation's lock.
	Save(ctx context.Context, lock string, inv inventory.Inventory, volumes []inventory.Volume, stop func(context.Context) error) error
	// Finish makes what was saved an export.
	Finish(ctx context.Context, id string) (record.Export, error)
	// Drop removes what exists of an export that is given up.
	Drop()
}

// Resolver is the user's own Docker Compose, asked about the project.
type Resolver interface {
	// Model resolves the project as this Compose will.
	Model(context.Context) (inventory.Model, error)
	// Version makes sure that Compose answers.
	Version(context.Context) (string, error)
}

// Child is the user's own Docker Compose with the user's own arguments. Its
// processes inherit the held files.
type Child interface {
	// Command is the child's argument vector.
	Command() []string
	// Executed is the program that Down runs with these arguments in place of
	// docker; "" is docker itself. It is known once Compose has reported its version.
	Executed() string
	// Stop stops the services that Down would remove, and leaves everything in place.
	Stop(ctx context.Context, held []*os.File) error
	// Down runs the child to its end and passes every signal on to it. An
	// error means that it could not be started.
	Down(held []*os.File, signals <-chan os.Signal) (fault.Exit, error)
}

// Answer is what the user said to the question.
type Answer int

// The answers.
const (
	Typed     Answer = iota // the project's name
	Declined                // anything else
	SaveFirst               // the project's name, but the volumes are to be exported first
	TimedOut                // nothing
)

// Question is what the user is asked.
type Question struct {
	Inventory inventory.Inventory
	Changes   []inventory.Change // since the question before; none the first time
	Saving    bool               // the volumes will be exported first
}

// Screen talks to the user.
type Screen interface {
	// Inventory shows what will go and what stays: in full, or in a line or two.
	Inventory(inv inventory.Inventory, full bool)
	// Ask shows the inventory in full and asks for the project's name.
	Ask(context.Context, Question) (Answer, error)
	// Tell says why there is nothing to do.
	Tell(text string)
	// Done says how it ended.
	Done(record.Ending)
}

// LastExports finds the newest exports of volumes. About one that it leaves out
// nothing is known.
type LastExports func(b *record.Book, volumes []string) map[string]inventory.LastExport

// Budgets for finding out sizes: a question can wait for them, a script cannot.
const (
	sizesForQuestion = 2 * time.Second
	sizesForScript   = 250 * time.Millisecond
)
