package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/undo"
)

type undoCmd struct {
	Words       []string   `arg:"" optional:"" name:"id|volume" completion-predictor:"undoable" help:"Id of the operation, or a unique prefix; then names of its volumes. Without any: all volumes of the newest operation that can be undone."`
	As          volumeName `fixed:"" placeholder:"NAME" help:"Bring one volume back under another name."`
	ProjectName string     `short:"p" placeholder:"NAME" completion-predictor:"project" help:"Only operations on this project."`
	Reason      string     `fixed:"" placeholder:"TEXT" help:"Reason, kept in the record."`
	engineFlags
	lockFlag
	recordFlags
}

// Run brings volumes back.
func (c undoCmd) Run(ctx context.Context, p Process, code *int) error {
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	book, err := p.bookHere(c.recordFlags, client, c.LockTimeout)
	if err != nil {
		return err
	}
	run := undo.Run{Engine: client, Open: p.trash(client), Book: book, As: string(c.As), Reason: c.Reason, Dir: p.Dir, Signals: p.Signals}
	if err := c.find(p, &run); err != nil {
		return err
	}
	if c.As != "" && len(run.Kept) != 1 {
		return fault.Usage(book.Command("undo", run.Of.ID, "VOLUME", "--as", "NAME"), "--as names one volume, and there are %d", len(run.Kept))
	}
	if err := p.before(ctx, "nothing was brought back", func(ctx context.Context) (err error) { run.Is, err = client.Describe(ctx); return err }); err != nil {
		return err
	}
	began := p.Now()
	done, err := run.Do(ctx)
	if err != nil {
		return err
	}
	if err := render.Undone(p.Stderr, done.Outcome, done.Back, run.Was, done.ID, p.Now().Sub(began), p.styleFor(p.Stderr, book.Log.Path, run.Was.Dir)); err != nil {
		return err
	}
	*code = done.Code
	if done.Err != nil {
		return &fault.Fault{Err: done.Err, Try: triesAgain(book, done.Outcome, "ccdestroy trash"), Code: *code}
	}
	return nil
}

// triesAgain is what to try after an operation that did not succeed.
func triesAgain(b *record.Book, outcome audit.Outcome, otherwise string) string {
	if outcome == audit.Pending {
		return b.Command("reconcile")
	}
	return otherwise
}

// find finds what is to be undone: the first word is an operation if it is the
// beginning of one's id.
func (c undoCmd) find(p Process, run *undo.Run) error {
	l, words := run.Book.Log, c.Words
	u := &record.Undoing{Log: l, Now: p.Now()}
	var left []record.Kept
	var err error
	events, _, shown := []audit.Event(nil), [][]byte(nil), error(nil)
	if len(words) > 0 {
		events, _, shown = l.Show(words[0])
	}
	var ambiguous *audit.AmbiguousError
	switch {
	case errors.As(shown, &ambiguous):
		return record.ReadFault(shown, l)
	case len(events) > 0:
		words, run.Of = words[1:], events[len(events)-1]
		if run.Was, err = record.ParseDetails(run.Of); err == nil {
			left, err = u.Left(run.Of, run.Was)
		}
	default:
		run.Of, run.Was, left, err = u.Newest(c.meant(p))
	}
	switch {
	case err != nil:
		return record.ReadFault(err, l)
	case len(left) == 0 && run.Of.ID != "":
		return &fault.Fault{Err: fmt.Errorf("%s has nothing to bring back: it kept no volumes, or they were brought back, purged, or kept for only so long", run.Of.ID), Try: "ccdestroy trash", Code: fault.ExitFailed}
	case len(left) == 0:
		whose := "this project"
		if c.ProjectName != "" {
			whose = fmt.Sprintf("project %q", strings.ToLower(c.ProjectName))
		}
		return &fault.Fault{Err: fmt.Errorf("nothing of %s can be undone; looked in %s", whose, l.Path), Try: "ccdestroy trash; or ccdestroy exports", Code: fault.ExitFailed}
	}
	run.Kept = left
	return c.pick(run, words)
}

// pick leaves the volumes that are named, by name or by Compose key.
func (c undoCmd) pick(run *undo.Run, words []string) error {
	if len(words) == 0 {
		return nil
	}
	left := run.Kept
	run.Kept = nil
	for _, word := range words {
		i := slices.IndexFunc(left, func(k record.Kept) bool {
			return k.Name == word || slices.ContainsFunc(run.Was.Resources, func(r inventory.Resource) bool { return r.Name == k.Name && r.Key != "" && r.Key == word })
		})
		if i < 0 {
			return &fault.Fault{Err: fmt.Errorf("%q is neither an operation of the log nor a volume that %s kept", word, run.Of.ID), Try: "ccdestroy trash", Code: fault.ExitUsage}
		}
		if !slices.Contains(run.Kept, left[i]) {
			run.Kept = append(run.Kept, left[i])
		}
	}
	return nil
}

// meant reports whether an operation is of the project that was named, else of one
// at or above the working directory, or of none.
func (c undoCmd) meant(p Process) func(record.Details) bool {
	return func(d record.Details) bool {
		if c.ProjectName != "" {
			return d.Project == strings.ToLower(c.ProjectName)
		}
		return d.Dir == "" || within(p.Dir, d.Dir)
	}
}

// undoing is what of a log's operations can still be undone.
func undoing(p Process, l *audit.Log) func(audit.Event, record.Details) []record.Kept {
	u := &record.Undoing{Log: l, Now: p.Now()}
	return func(e audit.Event, d record.Details) []record.Kept {
		left, err := u.Left(e, d)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil // what cannot be read is reported elsewhere
		}
		return left
	}
}

// aside is what became of what an operation of the log has set aside.
func aside(p Process, l *audit.Log) func(audit.Event, record.Details) record.Aside {
	return func(e audit.Event, d record.Details) record.Aside {
		a, err := (&record.Undoing{Log: l, Now: p.Now()}).Aside(e, d)
		if err != nil {
			return record.Aside{} // what cannot be read is reported elsewhere
		}
		return a
	}
}
