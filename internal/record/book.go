package record

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// Recorder appends events to a log. Both methods return when the event is
// durable; room is how many bytes to reserve for the event that follows. After
// an error the event counts as not recorded, though it may be in the log.
type Recorder interface {
	// Begin records the first event of an operation.
	Begin(ctx context.Context, e audit.Event, room int64) (audit.Head, error)
	// Append records a later event of an operation that has no outcome yet. Where
	// Begin failed and nothing was written, the error is audit.ErrNotFound.
	Append(ctx context.Context, e audit.Event, room int64) (audit.Head, error)
	// Check finds out whether an event would be refused, and records nothing.
	Check(context.Context) error
}

// Settler finds out what became of an interrupted operation. It fills in
// the operation's details; an error says why it stays unfinished.
type Settler func(context.Context, *Operation) (Ended, error)

// Book is a log with what it takes to record operations in it.
type Book struct {
	Log      *audit.Log
	Recorder Recorder        // nil is Log itself
	Copier   Copier          // nil copies nothing
	User     string          // for the user field
	Actor    json.RawMessage // for details.actor
	Tool     string          // this program and its version
	Program  []string        // how this program was called: ccdestroy, or docker ccdestroy
	Args     []string        // with what
	Now      func() time.Time
	NewID    func(time.Time) string
	Note     func(string) // reports an incidental notice
	// Finds reports whether commands that are not told of a log, where the user is, read the
	// one at this path; nil is never.
	Finds    func(path string) bool
	Settlers map[string]Settler // by operation
	// LockTimeout is how long an operation waits for another one of its project.
	LockTimeout time.Duration
}

// Again is the command that was typed, with further flags, ready to be pasted. A
// flag that it has already gets its new value.
func (b *Book) Again(flags ...string) string {
	args := slices.Clone(b.Args)
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	rest := args[end:]
	args = args[:end:end]
	if len(flags) == 2 && flags[0] == "--as" {
		args = without(args, flags[0])
	}
	return fault.Command(slices.Concat(b.Program, args, flags, rest)...)
}

// Command is another command of this program, on this log, ready to be pasted: it names
// the log unless it finds it.
func (b *Book) Command(words ...string) string {
	if b.Finds == nil || !b.Finds(b.Log.Path) {
		words = slices.Concat(words, []string{"--log", b.Log.Path})
	}
	return fault.Command(append([]string{"ccdestroy"}, words...)...)
}

// without is a command line without a flag and its value.
func without(args []string, flag string) []string {
	if i := slices.Index(args, flag); i >= 0 && i+1 < len(args) {
		args = slices.Delete(args, i, i+2)
	}
	return slices.DeleteFunc(args, func(word string) bool { return strings.HasPrefix(word, flag+"=") })
}

// Place says in which log the operations of a project are recorded.
type Place struct {
	Path string // of the log, whatever the project; "" is the default place in its directory
	Book Book   // with a Log whose Path is not yet set
}

// In is the book of the project in a directory.
func (p Place) In(dir string) *Book {
	b, l := p.Book, *p.Book.Log
	l.Path = cmp.Or(p.Path, filepath.Join(dir, audit.DefaultPath))
	b.Log = &l
	return &b
}

func (b *Book) recorder() Recorder {
	if b.Recorder != nil {
		return b.Recorder
	}
	return b.Log
}

// Check finds out whether an operation could be recorded. An error is a
// *fault.Fault.
func (b *Book) Check(ctx context.Context, operation string) error {
	if err := b.recorder().Check(ctx); err != nil {
		return noRecord(operation, err)
	}
	return nil
}

// warnHead warns when the log is not what it was when this account last
// wrote it.
func (b *Book) warnHead() {
	wrong, err := b.Log.Heads.Check(b.Log.Path)
	if err != nil {
		wrong = err.Error()
	}
	if wrong != "" {
		b.Note("WARNING: " + b.Log.Path + ": " + wrong)
	}
}

// noRecord is why nothing is done.
func noRecord(operation string, err error) *fault.Fault {
	return &fault.Fault{
		Err: fmt.Errorf("the audit record could not be written first, so nothing was %s: %w", done(operation), err),
		Try: "make the log writable, or name another with --log FILE", Code: fault.ExitNoRecord,
	}
}

func done(operation string) string {
	if operation == audit.Destroy || operation == audit.Prune {
		return "destroyed"
	}
	return "done"
}

// About is an event about the log itself, which the log writes.
func (b *Book) About(operation, reason string) audit.Event {
	now := b.Now()
	details, err := json.Marshal(struct {
		Tool   string          `json:"tool"`
		Actor  json.RawMessage `json:"actor"`
		Reason string          `json:"reason,omitempty"`
	}{b.Tool, b.Actor, reason})
	if err != nil {
		panic(err) // texts, and what was marshalled before
	}
	return audit.Event{ID: b.NewID(now), Timestamp: now, Operation: operation, Outcome: audit.Success, User: b.User, Details: details}
}
