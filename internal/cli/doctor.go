package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/guard"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/trash"
)

type doctorCmd struct {
	Format string `enum:"table,json" default:"table" help:"table or json."`
	engineFlags
	recordFlags
}

// lowSpace is how few bytes free next to the log are worth a warning.
const lowSpace = 64 << 20

// doctorPatience is how long each check may take.
const doctorPatience = 10 * time.Second

// doctor collects checks.
type doctor struct {
	p   Process
	all []render.Check
}

func (d *doctor) add(name, state, text, try string) {
	d.all = append(d.all, render.Check{Name: name, State: state, Text: text, Try: try})
}

// must adds a check that fails on an error.
func (d *doctor) must(name string, err error, text, try string) bool {
	if err == nil {
		d.add(name, "ok", text, "")
		return true
	}
	if f := fault.AsFault(err); f.Try != "" {
		try = f.Try
	}
	d.add(name, "fail", err.Error(), try)
	return false
}

// Run checks what a teardown needs. It changes nothing here; in a store it writes one
// object and tries to remove it.
func (c doctorCmd) Run(ctx context.Context, p Process, code *int) error {
	d := &doctor{p: p}
	d.tools(ctx, c)
	d.engine(ctx, c)
	d.plugins(filepath.Dir(guard.Socket))
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		d.must("log", err, "", "")
	} else {
		d.log(l)
	}
	d.store(ctx, c.storeFlags)
	d.otlp(ctx, c.otlpFlags)
	d.settings()
	if ctx.Err() != nil {
		return ctx.Err() // a failure because of that is not a finding
	}
	for _, check := range d.all {
		if check.State == "fail" {
			*code = fault.ExitFailed
		}
	}
	if c.Format == "json" {
		return render.ChecksJSON(p.Stdout, d.all)
	}
	return render.Checks(p.Stdout, d.all, p.style(p.Stdout))
}

// settings lists the files of settings. One that cannot be obeyed stops every
// command that would destroy something.
func (d *doctor) settings() {
	set := d.p.set
	for _, f := range set.files {
		switch {
		case f.path == "":
		case f.who == ofProject && set.stray != nil:
			d.add("settings", "warn", set.stray.Error(), fault.AsFault(set.stray).Try)
		case set.wrong == nil:
			d.add("settings", "ok", fmt.Sprintf("%s, the %s's: %s", f.path, f.who, f.holds(nil)), "")
		}
	}
	if set.wrong != nil {
		d.must("settings", set.wrong, "", "")
	}
}

// store checks what records are copied to.
func (d *doctor) store(ctx context.Context, f storeFlags) {
	if f.Store == "" {
		return
	}
	s, err := d.p.store(f.Store)
	if err != nil {
		d.must("store", err, "", "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	for _, check := range s.Examine(ctx) {
		d.add("store", check.State, check.Text, check.Try)
	}
}

func (d *doctor) tools(ctx context.Context, c doctorCmd) {
	child := d.p.compose(compose.Args{Host: c.Host, Context: c.Context})
	path, err := child.Program()
	if !d.must("docker", err, path, "") {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	version, err := child.Version(ctx)
	d.must("compose", err, "Docker Compose "+version, "install the Docker Compose plugin")
}

func (d *doctor) engine(ctx context.Context, c doctorCmd) {
	client, err := d.p.connect(c.engineFlags)
	if err != nil {
		d.must("engine", err, "", "")
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	e, err := client.Describe(ctx)
	if !d.must("engine", err, fmt.Sprintf("%s %s at %s", e.Name, e.Version, e.Host), "docker version") {
		return
	}
	d.trash(ctx, client)
	if !e.Local {
		d.add("engine", "warn", "it is on another machine: sizes come from the engine, and bind mounts are its own", "")
	}
}

// plugins finds what slows every engine of this machine down.
func (d *doctor) plugins(dir string) {
	for _, path := range guard.Abandoned(dir) {
		d.add("plugins", "warn", path+" was left by a plugin that was killed: the engine waits 15 seconds for it at every list of volumes", fault.Command("rm", path))
	}
}

func (d *doctor) log(l *audit.Log) {
	d.verify(l)
	dir := filepath.Dir(l.Path)
	var err error
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if err = durable.Writable(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	d.must("log directory", err, dir+" can be written to", "another log: --log FILE")
	if _, free, known := durable.Space(dir); known && free < lowSpace {
		d.add("disk", "warn", render.Bytes(int64(free))+" free at "+dir, "make room: without it nothing is destroyed")
	} else if known {
		d.add("disk", "ok", render.Bytes(int64(free))+" free at "+dir, "")
	}
	if l.Heads == nil {
		d.add("heads", "warn", "there is no home directory: heads are not noted", "set XDG_STATE_HOME")
	}
}

func (d *doctor) verify(l *audit.Log) {
	report, err := l.Verify(nil)
	about := record.Book{Log: l, Finds: d.p.finds}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.add("log", "ok", l.Path+" does not exist yet; the first teardown creates it", "")
	case err != nil:
		d.must("log", err, "", "ls -l "+l.Path)
	case !report.Intact():
		d.add("log", "fail", l.Path+" is not intact", about.Command("audit", "verify"))
	default:
		d.add("log", "ok", fmt.Sprintf("%s is intact: %s", l.Path, render.Count(int(report.Events), "event")), "")
		d.add("heads", "ok", fmt.Sprintf("%d noted here, all in the log", len(report.Heads)), "")
	}
	if report.Unfinished > 0 {
		d.add("log", "warn", fmt.Sprintf("%d unfinished", report.Unfinished), about.Command("reconcile"))
	}
}

// trash checks whether volumes can be kept for undo, and how much is.
func (d *doctor) trash(ctx context.Context, client *engine.Client) {
	out, err := d.p.held(ctx, client)
	if err != nil {
		d.add("undo", "warn", "volumes cannot be kept: "+err.Error(), "docs/undo.md; or --export DIR")
		return
	}
	var bytes int64
	for _, f := range out.Held {
		if f.Entry != nil {
			bytes += f.Entry.Bytes
		}
	}
	text := "volumes can be kept; none are"
	if len(out.Held) > 0 {
		text = fmt.Sprintf("volumes can be kept; %d are, %s", len(out.Held), render.Bytes(bytes))
	}
	if excess := trash.Excess(out.Held, out.Space, d.p.Now()); len(excess) > 0 {
		d.add("undo", "warn", fmt.Sprintf("%s; %d have expired, or take too much of the disk", text, len(excess)), "ccdestroy trash purge --expired")
		return
	}
	d.add("undo", "ok", text, "")
}
