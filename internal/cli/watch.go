package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/teardown"
	"github.com/contextcore/ccdestroy/internal/watch"
)

type watchCmd struct {
	OtherLog []string `fixed:"" sep:"none" placeholder:"FILE" completion-predictor:"file" help:"Log that may tell of a deletion already, beside those of this account. Repeatable."`
	Host     string   `short:"H" placeholder:"ADDRESS" help:"Docker Engine to watch."`
	Context  string   `placeholder:"NAME" help:"Docker context to use."`
	logFlag
}

// Run watches until it is stopped.
func (c watchCmd) Run(ctx context.Context, p Process) error {
	client, err := p.engine(projectFlags{Host: c.Host, Context: c.Context})
	if err != nil {
		return err
	}
	defer client.Close()
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	if err := l.Check(ctx); err != nil {
		return &teardown.Fault{Err: err, Try: "make the log writable, or name another with --log FILE", Code: teardown.ExitNoRecord}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		<-p.Signals
		cancel()
	}()
	b := bystander{p: p, log: l, others: c.OtherLog, done: map[string]bool{}}
	w := watch.Watch{
		Engine: followed{daemon{client}}, Record: b.record, Gap: b.gap, Now: p.Now,
		Note: func(text string) { p.say("ccdestroy: %s", text) },
	}
	w.Run(ctx)
	return nil
}

// followed gives the engine's events their type.
type followed struct{ daemon }

// Follow calls visit with every event of a volume.
func (f followed) Follow(ctx context.Context, ready func(), visit func(watch.Event)) error {
	return f.Client.Follow(ctx, ready, func(name string, destroyed bool, at time.Time) {
		visit(watch.Event{Volume: name, Destroyed: destroyed, At: at})
	})
}

var _ watch.Engine = followed{daemon{(*engine.Client)(nil)}}

// bystander records what others destroy.
type bystander struct {
	p      Process
	log    *audit.Log
	others []string
	done   map[string]bool // of the batch that is being recorded
}

// clockSlack is how far the engine's clock and ours may differ.
const clockSlack = 2 * time.Second

// deed is an operation of a log, with the volumes that it tells of and when it
// may have destroyed them.
type deed struct {
	volumes  []string
	from, to time.Time
}

func (d deed) tells(l watch.Loss) bool {
	from := l.At
	if !l.Since.IsZero() {
		from = l.Since
	}
	return slices.Contains(d.volumes, l.Volume.Name) && !l.At.Before(d.from.Add(-clockSlack)) && !from.After(d.to.Add(clockSlack))
}

// record records those losses that no log tells of, one by one.
func (b bystander) record(ctx context.Context, e teardown.Engine, losses []watch.Loss) error {
	deeds := b.deeds(e, losses)
	for _, loss := range losses {
		if b.done[key(loss)] || slices.ContainsFunc(deeds, func(d deed) bool { return d.tells(loss) }) {
			continue
		}
		if err := b.append(ctx, b.event(e, loss)); err != nil {
			return err
		}
		b.done[key(loss)] = true
		b.p.say("Volume %s was destroyed, and nobody recorded it", loss.Volume.Name)
	}
	clear(b.done)
	return nil
}

// key is what a loss can be known by again.
func key(l watch.Loss) string { return l.Volume.Name + " " + stampOf(l.At) }

func (b bystander) append(ctx context.Context, e audit.Event) error {
	_, err := b.log.Begin(context.WithoutCancel(ctx), e, 0)
	if errors.Is(err, audit.ErrHead) {
		return nil
	}
	return err
}

func (b bystander) event(e teardown.Engine, loss watch.Loss) audit.Event {
	r := loss.Volume.Resource()
	r.Asked, r.Fate, r.Result = true, teardown.Removed, teardown.Gone
	d := b.details(e)
	if !loss.Since.IsZero() {
		r.Reason = fmt.Sprintf("between %s and %s, while the engine could not be followed", stampOf(loss.Since), stampOf(loss.At))
	}
	d.Project, d.Resources, d.StartedAt = loss.Volume.Labels[teardown.LabelProject], []teardown.Resource{r}, stampOf(loss.At)
	now := b.p.Now()
	return audit.Event{ID: newID(now), Timestamp: now, Operation: audit.Destroy, Outcome: audit.Success, User: "unknown", Details: d.Encode(), DataAffected: []string{loss.Volume.Name}}
}

func (b bystander) details(e teardown.Engine) teardown.Details {
	_, actor, _ := b.p.who()
	d := teardown.Details{Tool: "ccdestroy " + version(), Actor: actor, RecordedBy: "watch"}
	d.Engine = e
	return d
}

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// gap records that nobody watched for a while.
func (b bystander) gap(ctx context.Context, e teardown.Engine, from, to time.Time) error {
	d := b.details(e)
	d.StartedAt, d.DurationMS = stampOf(from), to.Sub(from).Milliseconds()
	user, _, _ := b.p.who()
	now := b.p.Now()
	return b.append(ctx, audit.Event{ID: newID(now), Timestamp: now, Operation: "watch_gap", Outcome: audit.Success, User: user, Details: d.Encode()})
}

// deeds are the operations on this engine, from all known logs, that may tell of
// the losses. A log that cannot be read tells of nothing.
func (b bystander) deeds(e teardown.Engine, losses []watch.Loss) (out []deed) {
	since := losses[0].At
	for _, l := range losses {
		if from := l.Since; !from.IsZero() && from.Before(since) {
			since = from
		}
	}
	paths := append(b.log.Heads.Logs(), b.log.Path)
	for _, path := range append(paths, b.others...) {
		l := b.p.log(b.p.abs(path))
		_, _ = l.Events(audit.Query{Since: since.Add(-clockSlack)}, func(r audit.Record, _ []byte) error {
			out = append(out, deedOf(r.Event, e))
			return nil
		})
		open, _ := l.Unfinished(recentBytes)
		for _, event := range open {
			out = append(out, deedOf(event, e))
		}
	}
	return out
}

// deedOf is what an event tells of; nothing when it is another engine's or our
// own.
func deedOf(event audit.Event, e teardown.Engine) (d deed) {
	details, err := teardown.ParseDetails(event)
	if err != nil || details.RecordedBy == "watch" || details.Engine.ID != "" && details.Engine.ID != e.ID {
		return d
	}
	d = deed{volumes: append(slices.Clone(event.DataAffected), details.Unforeseen...), from: event.Timestamp, to: event.Timestamp}
	if event.Outcome == audit.Pending {
		d.volumes = append(d.volumes, details.AskedVolumes()...)
		d.to = event.Timestamp.Add(pendingFor)
	} else if began, err := time.Parse(time.RFC3339Nano, details.StartedAt); err == nil {
		d.from = began
	}
	return d
}

// pendingFor is how long a pending event speaks for what it announces.
const pendingFor = 24 * time.Hour
