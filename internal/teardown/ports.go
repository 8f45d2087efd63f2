package teardown

import (
	"context"
	"os"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Daemon is the Docker Engine that the child will talk to as well. Its methods
// may be called at once from several goroutines.
type Daemon interface {
	// Describe says which engine it is.
	Describe(context.Context) (Engine, error)
	// Snapshot lists what the engine has; images only when asked for.
	Snapshot(ctx context.Context, images bool) (Snapshot, error)
	// NamedVolumes returns the volumes that the container's own configuration
	// refers to by name; none for a container that is gone.
	NamedVolumes(ctx context.Context, containerID string) ([]string, error)
	// Measure returns the sizes that it finds out before ctx ends. It never
	// fails: a size that is not there is unknown.
	Measure(context.Context, []Volume) map[string]Size
	// WatchVolumes subscribes to the engine's events before it returns. stop
	// ends that and returns the volumes that were destroyed meanwhile, as far
	// as the engine told.
	WatchVolumes(context.Context) (stop func() []string)
	// StableCreated: see After.
	StableCreated() bool
	// Start starts containers in the given order, Stop stops them all. One that
	// is gone, or that runs or rests already, is no error.
	Start(ctx context.Context, ids []string) error
	Stop(ctx context.Context, ids []string) error
}

// Saver exports volumes before they go.
type Saver interface {
	// Save exports the volumes, of which the inventory tells more, and verifies
	// what it wrote. It calls stop once, as soon as all has been read that the
	// stop of the services would lose. After an error nothing may be destroyed.
	Save(ctx context.Context, id string, inv Inventory, volumes []Volume, stop func(context.Context) error) (Export, error)
}

// Composer is the user's own Docker Compose with the user's own arguments.
type Composer interface {
	// Model resolves the project as this Compose will.
	Model(context.Context) (Model, error)
	// Version makes sure that Compose answers.
	Version(context.Context) (string, error)
	// Command is the child's argument vector.
	Command() []string
	// Stop stops the services that Down would remove, and leaves all in place.
	Stop(context.Context) error
	// Down runs the child to its end and passes every signal on to it. An
	// error means that it could not be started.
	Down(signals <-chan os.Signal) (Exit, error)
}

// Exit is how the child ended.
type Exit struct {
	Code   int       // -1 when a signal killed it
	Stderr string    // the last 8 KiB of its error output, without control sequences
	Signal os.Signal // the first signal that was passed on, or nil
}

// Recorder is the log. Begin takes the first event of an operation and Append a
// later one; they return when it is durable. room is how many bytes to set aside
// for the event that follows.
type Recorder interface {
	Check(context.Context) error
	Begin(ctx context.Context, e audit.Event, room int64) (audit.Head, error)
	Append(ctx context.Context, e audit.Event, room int64) (audit.Head, error)
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

// Screen talks to the user.
type Screen interface {
	// Inventory shows what will go and what stays: in full, or in a line or two.
	Inventory(inv Inventory, full bool)
	// Ask shows the inventory in full and asks for the project's name. saving
	// says that the volumes will be exported first.
	Ask(ctx context.Context, inv Inventory, saving bool) (Answer, error)
	// Note tells something beside the main matter.
	Note(text string)
	// Settling says that the engine is still at work.
	Settling()
	// Done tells how it ended.
	Done(Ending)
}
