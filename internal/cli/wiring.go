package cli

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/provider"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
	"github.com/contextcore/ccdestroy/internal/undo"
)

// compose makes the child for these arguments.
func (p Process) compose(args compose.Args) *compose.Compose {
	return &compose.Compose{
		Args: args, Env: append(slices.Clone(p.Environ), provider.Mark()), Dir: p.Dir, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr,
		Cache: p.xdg("XDG_CACHE_HOME", ".cache"), Debug: p.debug(),
	}
}

// connect finds the engine, without talking to it.
func (p Process) connect(f engineFlags) (*engine.Client, error) {
	return engine.Connect(engine.Address{Host: f.Host, Context: f.Context, Env: p.Getenv, Debug: p.debug()})
}

// debug shows what the engine and Compose are asked, on standard error, if
// CCDESTROY_DEBUG is set to anything but 0 and false.
func (p Process) debug() func(line string) {
	switch p.Getenv("CCDESTROY_DEBUG") {
	case "", "0", "false", "no":
		return nil
	}
	return func(line string) {
		fmt.Fprintf(p.Stderr, "debug %s %s\n", p.Now().UTC().Format("15:04:05.000"), render.Terminal(line))
	}
}

// log is the log at path.
func (p Process) log(path string) *audit.Log {
	l := &audit.Log{Path: path}
	if state := p.xdg("XDG_STATE_HOME", filepath.Join(".local", "state")); state != "" {
		l.Heads = &audit.Heads{Dir: filepath.Join(state, "heads")}
	}
	return l
}

// logForReading is the log that was named, else the nearest one upward.
func (p Process) logForReading(f logFlag) (*audit.Log, error) {
	path := p.abs(f.Log)
	if f.Log == "" {
		if p.Dir == "" {
			return nil, errNoDir
		}
		path, _ = audit.Find(p.Dir)
	}
	l := p.log(path)
	l.Group = int(f.LogGroup)
	return l, nil
}

// styleFor is the style of what is said of operations in the log at path, on a
// project in dir: "" where it is not about one. Its commands can be pasted where the
// user is, so they name the log unless they would find it.
func (p Process) styleFor(f *os.File, path, dir string) render.Style {
	style := p.style(f)
	if path != "" && !p.finds(path) {
		style.Log = path
	}
	style.ByID = style.Log != "" || dir != "" && !within(p.Dir, dir)
	return style
}

// finds reports whether commands without --log, called here, read the log at path.
func (p Process) finds(path string) bool {
	if p.set != nil {
		if set := p.set.all("log"); len(set) > 0 {
			return same(p.abs(fmt.Sprint(set[0].value)), path)
		}
	}
	nearest, _ := audit.Find(p.Dir)
	return same(nearest, path) || same(filepath.Join(p.Dir, audit.DefaultPath), path)
}

// within reports whether a directory is another one or below it, by its name or
// where it leads.
func within(dir, other string) bool {
	here, err := filepath.EvalSymlinks(dir)
	if err != nil {
		here = dir
	}
	for _, d := range []string{dir, here} {
		if rel, err := filepath.Rel(other, d); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}

// logForWriting is that log, where it may be written unasked.
func (p Process) logForWriting(f logFlag) (*audit.Log, error) {
	l, err := p.logForReading(f)
	if err == nil && f.Log == "" {
		err = p.mayRecordIn(filepath.Dir(l.Path))
	}
	return l, err
}

var errNoDir = errors.New("cannot determine the working directory: it may have been deleted")

// warnHead warns when the log is not what it was when we last wrote it.
func (p Process) warnHead(l *audit.Log) {
	wrong, err := l.Heads.Check(l.Path)
	if err != nil {
		wrong = err.Error()
	}
	if wrong != "" {
		p.say("WARNING: %s: %s", l.Path, wrong)
	}
}

// who is the user and the actor of the record, and the CI system, "" outside of
// any. It is found out once.
func (p Process) who() (user string, claims json.RawMessage, vendor string) {
	i := p.identity
	if i == nil {
		i = &identity{}
	}
	i.once.Do(func() { i.user, i.claims, i.vendor = p.identify() })
	return i.user, i.claims, i.vendor
}

// identity is what identify has found out.
type identity struct {
	once         sync.Once
	user, vendor string
	claims       json.RawMessage
}

func (p Process) identify() (user string, claims json.RawMessage, vendor string) {
	m := actor.ThisMachine(p.Getenv)
	a := actor.Identify(m)
	claims, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings and numbers only
	}
	if a.CI != nil {
		vendor = a.CI.Vendor
	}
	return actor.User(m), claims, vendor
}

func newID(t time.Time) string {
	return ulid.MustNew(ulid.Timestamp(t), rand.Reader).String()
}

// book is what records are written with, to a log that is yet to be named. c is
// the engine that settles what was interrupted; nil settles nothing. wait is how long
// to wait for another operation on the same project.
func (p Process) book(c *engine.Client, wait time.Duration) record.Book {
	user, claims, _ := p.who()
	b := record.Book{
		Log: p.log(""), User: user, Actor: claims, Tool: tool(), Program: p.program(), Args: p.Args,
		Now: p.Now, NewID: newID, Note: p.note, Finds: p.finds, LockTimeout: wait,
	}
	if c != nil {
		destroy, files := teardown.Settler(c, c, p.trash(c)), export.Settler(p.setting(c, true))
		aside := undo.Settler(c, p.trash(c))
		b.Settlers = map[string]record.Settler{audit.Destroy: destroy, audit.Prune: destroy, audit.Export: files, audit.Restore: files, audit.Undo: aside, audit.Purge: aside}
	}
	return b
}

func tool() string { return "ccdestroy " + version() }

// place is where the operations of a project are recorded: in the log that was
// named, else in the project's directory.
func (p Process) place(f recordFlags, c *engine.Client, wait time.Duration) (place record.Place, err error) {
	place.Book = p.book(c, wait)
	if place.Book.Copier, err = p.copier(f.storeFlags); err != nil {
		return place, err
	}
	place.Book.Log.Group = int(f.LogGroup)
	if f.Log != "" {
		place.Path = p.abs(f.Log)
	}
	return place, nil
}

// bookHere is the book of a command that concerns no project: of the log that
// was named, else of the nearest one upward.
func (p Process) bookHere(f recordFlags, c *engine.Client, wait time.Duration) (*record.Book, error) {
	l, err := p.logForWriting(f.logFlag)
	if err != nil {
		return nil, err
	}
	copier, err := p.copier(f.storeFlags)
	if err != nil {
		return nil, err
	}
	p.warnHead(l)
	b := p.book(c, wait)
	b.Log, b.Copier = l, copier
	return &b, nil
}

// setting is how volumes are exported and restored.
func (p Process) setting(c *engine.Client, quiet bool) export.Setting {
	return export.Setting{
		Engine: exporting{c}, Tool: tool(), Now: p.Now, Note: p.note,
		Progress: func() export.Progress {
			if quiet {
				return export.Quiet{}
			}
			return progress{render.NewProgress(p.Stderr, p.style(p.Stderr))}
		},
	}
}
