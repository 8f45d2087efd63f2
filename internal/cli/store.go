package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/store"
)

// recordFlags are those of commands that write to the log.
type recordFlags struct {
	logFlag
	storeFlags
}

// storeFlags say where the log is copied to.
type storeFlags struct {
	Store     string `placeholder:"URL" group:"ccdestroy" help:"Object storage that the log is copied to: s3://BUCKET/PREFIX."`
	StoreMode string `enum:",require,later" default:"" placeholder:"WHEN" group:"ccdestroy" help:"When the copy must be there: require (before anything is destroyed; the default in CI) or later (the default elsewhere)."`
	otlpFlags
}

// copier is what copies the log, nil where nothing is to.
func (p Process) copier(f storeFlags) (record.Copier, error) {
	copies, err := p.copies(f)
	if err != nil || len(copies.To) == 0 {
		return nil, err
	}
	return copies, nil
}

// copies are all places that the log is copied to.
func (p Process) copies(f storeFlags) (*store.Copies, error) {
	copies := &store.Copies{State: p.cursors()}
	if f.Store != "" {
		to, err := p.store(f.Store)
		if err != nil {
			return nil, err
		}
		mode := store.Mode(f.StoreMode)
		if _, _, vendor := p.who(); mode == "" {
			mode = store.Later
			if vendor != "" {
				mode = store.Require
			}
		}
		copies.To = append(copies.To, &store.Copy{Sink: store.Objects{Bucket: to}, Mode: mode})
	}
	if f.OTLP != "" {
		to, err := p.otlp(f.otlpFlags)
		if err != nil {
			return nil, err
		}
		// A receiver answers before a record is anywhere durable: nothing waits for that.
		copies.To = append(copies.To, &store.Copy{Sink: to, Mode: store.Later, Alone: true})
	}
	return copies, nil
}

// store opens a store.
func (p Process) store(url string) (*store.S3, error) {
	s, err := store.OpenS3(url, p.Getenv)
	if err != nil {
		return nil, fault.Usage("docs/store.md", "--store: %w", err)
	}
	return s, nil
}

// cursors is where it is kept how far logs are copied.
func (p Process) cursors() string {
	if state := p.xdg("XDG_STATE_HOME", filepath.Join(".local", "state")); state != "" {
		return filepath.Join(state, "ship")
	}
	return ""
}

// environ is how a child of ours is told of them, but for the log itself: the child knows
// in which one it records.
func (f recordFlags) environ() []string {
	return []string{
		variable("log-group") + "=" + f.LogGroup.String(),
		variable("store") + "=" + f.Store, variable("store-mode") + "=" + f.StoreMode,
		variable("otlp") + "=" + f.OTLP, variable("otlp-headers-file") + "=" + f.OTLPHeadersFile,
	}
}

type shipCmd struct {
	Files []string `arg:"" optional:"" name:"file" completion-predictor:"file" help:"Logs to copy, such as those of machines that are gone; default: the log of this project."`
	recordFlags
}

// Help says what becomes of them.
func (shipCmd) Help() string {
	return `Copies every event that is not there yet, including those of the older segments beside a log, to the store and to the OTLP endpoint. Running it again copies nothing twice. Needs --store or --otlp, or the setting.`
}

// Run ships.
func (c shipCmd) Run(ctx context.Context, p Process) error {
	copies, err := p.copies(c.storeFlags)
	if err != nil {
		return err
	}
	if len(copies.To) == 0 {
		return fault.Usage("ccdestroy ship --store s3://BUCKET/PREFIX; see docs/store.md", "no store is set, and no OTLP endpoint")
	}
	files := c.Files
	if len(files) == 0 {
		files = []string{c.Log}
	}
	for _, file := range files {
		l, err := p.logForReading(logFlag{Log: file, LogGroup: c.LogGroup})
		if err != nil {
			return err
		}
		if err := p.shipOne(ctx, copies, l, len(c.Files) > 0); err != nil {
			return err
		}
	}
	return nil
}

// shipOne ships a log to all places, to one also when another fails.
func (p Process) shipOne(ctx context.Context, copies *store.Copies, l *audit.Log, named bool) error {
	if _, err := l.End(); errors.Is(err, fs.ErrNotExist) && named {
		return record.NoLog(l)
	}
	var errs []error
	for i, to := range copies.To {
		done, err := copies.Ship(ctx, to, l)
		if done.Passed > 0 && i == 0 {
			p.say("ccdestroy: %s: %d lines are not chained events and stay behind", l.Path, done.Passed)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: copied %d events, and no more: %w", l.Path, done.Lines, err))
			continue
		}
		p.say("%s: copied %d events to %s", l.Path, done.Lines, to.Sink.Name())
	}
	if len(errs) == 0 {
		return nil
	}
	return &fault.Fault{Err: errors.Join(errs...), Try: "ccdestroy doctor, and then ccdestroy ship again", Code: fault.ExitFailed}
}
