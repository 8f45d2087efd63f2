package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// compose makes the child for these arguments.
func (p Process) compose(args compose.Args) *compose.Compose {
	return &compose.Compose{
		Args: args, Env: append(slices.Clone(p.Environ), p.mark()), Dir: p.Dir, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr,
		Cache: p.xdg("XDG_CACHE_HOME", ".cache"),
	}
}

func (p Process) engine(f projectFlags) (*engine.Client, error) {
	c, err := engine.Connect(engine.Address{Host: f.Host, Context: f.Context, Env: p.Getenv})
	if err != nil {
		return nil, &teardown.Fault{Err: err, Try: "docker context ls", Code: teardown.ExitFailed}
	}
	return c, nil
}

// xdg is our directory under an XDG base directory, "" without a home.
func (p Process) xdg(variable, fallback string) string {
	base := p.Getenv(variable)
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, fallback)
	}
	return filepath.Join(base, "ccdestroy")
}

// log is the log at path.
func (p Process) log(path string) *audit.Log {
	l := &audit.Log{Path: path}
	if state := p.xdg("XDG_STATE_HOME", filepath.Join(".local", "state")); state != "" {
		l.Heads = &audit.Heads{Dir: filepath.Join(state, "heads")}
	}
	return l
}

// logIn is the log of a project directory: the one that was named, else the
// default place there.
func (p Process) logIn(f logFlag, dir string) *audit.Log {
	if f.Log != "" {
		return p.log(p.abs(f.Log))
	}
	return p.log(filepath.Join(dir, audit.DefaultPath))
}

// logForReading is the log that was named, else the nearest one upward.
func (p Process) logForReading(f logFlag) (*audit.Log, error) {
	if f.Log != "" {
		return p.log(p.abs(f.Log)), nil
	}
	if p.Dir == "" {
		return nil, errors.New("the working directory cannot be told: it may have been deleted")
	}
	path, _ := audit.Find(p.Dir)
	return p.log(path), nil
}

func (p Process) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.Dir, path)
}

// warnHead tells loudly when the log is not what it was when we last wrote it.
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
// any.
func (p Process) who() (user string, claims json.RawMessage, vendor string) {
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

// engineFault adds what to try to an engine's error.
func engineFault(err error) error {
	if errors.Is(err, engine.ErrUnreachable) {
		return &teardown.Fault{Err: err, Try: "docker version   # and start the engine, or choose another with -H or --context", Code: teardown.ExitFailed}
	}
	return err
}

// stillRuns reports whether the process that wrote a pending event is still at
// work: the same process on the same boot.
func stillRuns(e audit.Event) bool {
	d, err := teardown.ParseDetails(e)
	if err != nil {
		return false
	}
	var a actor.Actor
	if json.Unmarshal(d.Actor, &a) != nil {
		return false
	}
	return alive(a)
}

func alive(a actor.Actor) bool {
	if a.PID == 0 || a.Started == "" {
		return false
	}
	here := actor.ThisMachine(func(string) string { return "" })
	return a.BootID == here.BootID && actor.StartOf(a.PID) == a.Started
}

// settleWait is how long one that settles a log waits for another.
const settleWait = time.Minute

func settling(ctx context.Context, l *audit.Log) (release func(), err error) {
	lock, err := durable.Lock(ctx, l.Path+".settling.lock", settleWait)
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Unlock() }, nil
}

// settle reconciles the unfinished operations of a log, of at most limit bytes
// from its end. It returns how many were settled, what stood in the way of the
// others, and an error when the log could not be read.
func (p Process) settle(ctx context.Context, l *audit.Log, c *engine.Client, limit int64) (settled int, obstacles []error, err error) {
	open, err := l.Unfinished(limit)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(open) == 0 {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	release, err := settling(ctx, l) // one at a time, so that no outcome is recorded twice
	if err != nil {
		return 0, nil, err
	}
	defer release()
	if open, err = l.Unfinished(limit); err != nil {
		return 0, nil, err
	}
	for _, e := range open {
		d, err := teardown.ParseDetails(e)
		if err != nil || d.RecordedBy != "" || stillRuns(e) {
			continue // a script's own operations are the script's to end
		}
		outcome, lost := audit.Outcome(""), 0
		switch e.Operation {
		case audit.Destroy, audit.Prune:
			var v teardown.Verdict
			v, err = teardown.Reconcile(ctx, e, daemon{c}, l, teardown.SettledLater, p.Now)
			outcome, lost = v.Outcome, len(v.Lost)
		case audit.Export, audit.Restore:
			outcome, err = export.Settle(ctx, e, p.setting(daemon{c}, true), l)
		default:
			continue
		}
		if err != nil {
			obstacles = append(obstacles, fmt.Errorf("%s stays unfinished: %w", e.ID, err))
			continue
		}
		settled++
		p.say("Settled %s of %s, which was cut off: %s, %d volumes gone", e.Operation, e.ID, outcome, lost)
	}
	return settled, obstacles, nil
}
