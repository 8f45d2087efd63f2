package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/provider"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/trash"
	"github.com/contextcore/ccdestroy/internal/undo"
)

type trashCmd struct {
	List  trashListCmd  `cmd:"" default:"withargs" help:"List the volumes that can be brought back, of every project on the engine (default command)."`
	Purge trashPurgeCmd `cmd:"" help:"Destroy kept volumes for good, and record which."`
}

type trashListCmd struct {
	Format string `enum:"table,json" default:"table" help:"table or json."`
	engineFlags
}

// Run lists what there is, oldest first.
func (c trashListCmd) Run(ctx context.Context, p Process) error {
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	var out trash.Response
	err = p.before(ctx, "nothing was listed", func(ctx context.Context) (err error) { out, err = p.held(ctx, client); return err })
	if err != nil {
		return err
	}
	var list []render.Held
	for _, f := range out.Held {
		h := render.Held{Kept: undo.KeptOf(f), Ending: f.Where == trash.Ending, Error: f.Error}
		if f.Entry != nil {
			h.Project, h.User, h.Since = f.Entry.Project, f.Entry.User, f.Entry.Kept
		}
		list = append(list, h)
	}
	if c.Format == "json" {
		return render.TrashJSON(p.Stdout, list, p.Now())
	}
	return render.Trash(p.Stdout, list, p.Now(), p.style(p.Stdout))
}

// held is what the trash of the engine holds.
func (p Process) held(ctx context.Context, client *engine.Client) (trash.Response, error) {
	shelf, err := p.trash(client)(ctx, "", nil)
	if err != nil {
		return trash.Response{}, err
	}
	return shelf.Do(ctx, trash.Request{Action: trash.DoList})
}

type trashPurgeCmd struct {
	IDs     []string `arg:"" optional:"" name:"id" help:"Operations whose volumes to destroy, by id or unique prefix; default: all."`
	Expired bool     `fixed:"" help:"Only volumes whose time is up, and the oldest ones while the disk is too full."`
	Reason  string   `fixed:"" placeholder:"TEXT" help:"Reason, kept in the record."`
	askFlags
	engineFlags
	agentsFlag
	recordFlags
}

// Run purges, one operation in each log that has what set the volumes aside.
func (c trashPurgeCmd) Run(ctx context.Context, p Process, code *int) error {
	if err := c.agent(p).Ends(); err != nil && !c.Expired {
		return err
	}
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	var is inventory.Engine
	var out trash.Response
	err = p.before(ctx, "nothing was purged", func(ctx context.Context) (err error) {
		if is, err = client.Describe(ctx); err == nil {
			out, err = p.held(ctx, client)
		}
		return err
	})
	if err != nil {
		return err
	}
	meant, err := c.meant(p, out)
	if err != nil {
		return err
	}
	logs, of, err := c.logs(p, out.Held, meant)
	if err != nil {
		return err
	}
	if len(logs) == 0 {
		p.say("Nothing to purge.")
	}
	copier, err := p.copier(c.storeFlags)
	if err != nil {
		return err
	}
	for _, l := range logs {
		book := p.book(client, 0)
		book.Log, book.Copier = l, copier
		if err := c.purge(ctx, p, undo.Purge{
			Is: is, Open: p.trash(client), Book: &book, Reason: c.Reason, Signals: p.Signals,
			Meant: func(f trash.Found) bool { return slices.Contains(of[l.Path], key(f)) },
		}, code); err != nil {
			return err
		}
	}
	return nil
}

func key(f trash.Found) string { return f.Operation + " " + f.Volume }

// meant says which entries go.
func (c trashPurgeCmd) meant(p Process, out trash.Response) (func(trash.Found) bool, error) {
	var excess []trash.Item
	if c.Expired {
		excess = trash.Excess(out.Held, out.Space, p.Now())
	}
	for _, id := range c.IDs {
		if id == "" || !slices.ContainsFunc(out.Held, func(f trash.Found) bool { return strings.HasPrefix(f.Operation, strings.ToUpper(id)) }) {
			return nil, &fault.Fault{Err: errors.New("nothing is kept of operation " + id), Try: "ccdestroy trash", Code: fault.ExitFailed}
		}
	}
	return func(f trash.Found) bool {
		named := len(c.IDs) == 0 || slices.ContainsFunc(c.IDs, func(id string) bool { return strings.HasPrefix(f.Operation, strings.ToUpper(id)) })
		return named && (!c.Expired || slices.Contains(excess, trash.Item{Operation: f.Operation, Volume: f.Volume}))
	}, nil
}

// logs are those in which the purge is recorded: the one that has the operation
// which set a volume aside, where it is there; else the one that was named, or the
// nearest. of says which entries belong to which log, by path.
func (c trashPurgeCmd) logs(p Process, held []trash.Found, meant func(trash.Found) bool) (logs []*audit.Log, of map[string][]string, err error) {
	of = map[string][]string{}
	for _, f := range held {
		if !meant(f) {
			continue
		}
		var l *audit.Log
		if f.Entry != nil && c.Log == "" && filepath.IsAbs(f.Entry.Log) {
			if info, err := os.Lstat(f.Entry.Log); err == nil && info.Mode().IsRegular() {
				l = p.log(f.Entry.Log)
				l.Group = int(c.LogGroup)
			}
		}
		if l == nil {
			if l, err = p.logForReading(c.logFlag); err != nil {
				return nil, nil, err
			}
		}
		if of[l.Path] == nil {
			logs = append(logs, l)
		}
		of[l.Path] = append(of[l.Path], key(f))
	}
	return logs, of, nil
}

func (c trashPurgeCmd) purge(ctx context.Context, p Process, run undo.Purge, code *int) error {
	talk, how := p.screen(c.PromptTimeout), p.confirmation(c.Yes)
	run.Confirm = func(ctx context.Context, o *record.Operation) error {
		o.Details.Confirmation = how
		if err := render.ToPurge(p.Stderr, o.Details.Purged, p.style(p.Stderr)); err != nil {
			return err
		}
		if how != record.Typed {
			return nil
		}
		return talk.confirm(ctx, "purge", "destroy these volumes for good", "nothing was purged")
	}
	began := p.Now()
	done, err := run.Do(ctx)
	if errors.Is(err, record.ErrNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := render.PurgeDone(p.Stderr, done.Outcome, done.Back, done.ID, p.Now().Sub(began), p.styleFor(p.Stderr, run.Book.Log.Path, "")); err != nil {
		return err
	}
	*code = max(*code, done.Code)
	if done.Err != nil {
		return &fault.Fault{Err: done.Err, Try: triesAgain(run.Book, done.Outcome, "ccdestroy trash purge"), Code: *code}
	}
	return nil
}

// expire leaves a process behind that purges what has expired, if the keeper has
// seen anything like that. Nobody waits for it.
func (p Process) expire(k *trash.Keeper, kept []record.Kept, f engineFlags, recorded recordFlags) {
	var more int64
	for _, one := range kept {
		more += one.Bytes
	}
	if k.Excess(more) {
		p.purgeExpired(f, recorded)
	}
}

// purgeExpired leaves a process behind that purges what has expired.
func (p Process) purgeExpired(f engineFlags, recorded recordFlags) {
	args := []string{"trash", "purge", "--expired", "--yes", "--reason", "expired, or the disk is too full"}
	if f.Host != "" {
		args = append(args, "--host", f.Host)
	}
	if f.Context != "" {
		args = append(args, "--context", f.Context)
	}
	if err := provider.Start(p.Dir, append(slices.Clip(p.Environ), recorded.environ()...), nil, args...); err != nil {
		p.note("expired volumes could not be purged: " + err.Error())
	}
}
