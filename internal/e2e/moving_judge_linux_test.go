package e2e

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"
)

// claim is an operation that the log has the outcome of.
type claim struct {
	event
	from, to time.Time
	pending  time.Time // of the last pending event before the deed; zero where there is none
	// announced are the volumes that its pending events named.
	announced []string
}

func (c claim) covers(at time.Time) bool { return !at.Before(c.from) && !at.After(c.to) }

// earlier is the claim as if it had begun so much earlier.
func (c claim) earlier(by time.Duration) claim {
	c.from = c.from.Add(-by)
	return c
}

// blind reports whether an operation could not know of a loss: it was killed, and
// the volume came about when it had looked. It notes such volumes as soon as it is
// told of them, but one may go before that.
func (c claim) blind(l loss) bool {
	return c.Details.Settled != "" && l.made.After(c.pending.Add(-time.Second)) && !slices.Contains(c.announced, l.name)
}

func (c claim) String() string { return c.ID + " (" + c.Operation + " " + c.Outcome + ")" }

// late reports whether an event names volumes that came after the last look.
func (e event) late() bool {
	for _, r := range e.Details.Resources {
		if r.Late {
			return true
		}
	}
	return false
}

// claims reads the log.
func (w *world) claims() (out []claim) {
	w.t.Helper()
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			w.t.Fatal(err)
		}
		return when
	}
	pending, announced := map[string]time.Time{}, map[string][]string{}
	for _, e := range w.events() {
		if e.Outcome == "pending" {
			if !e.late() {
				pending[e.ID] = at(e.Timestamp)
			}
			announced[e.ID] = append(announced[e.ID], e.DataAffected...)
			continue
		}
		c := claim{event: e, from: pending[e.ID], to: at(e.Timestamp), pending: pending[e.ID], announced: announced[e.ID]}
		if e.Details.StartedAt != "" && (c.from.IsZero() || at(e.Details.StartedAt).Before(c.from)) {
			c.from = at(e.Details.StartedAt)
		}
		out = append(out, c)
	}
	return out
}

// loss is a volume that the engine destroyed.
type loss struct {
	name    string
	at      time.Time
	made    time.Time // zero where the engine did not tell of it
	whose   string    // the project's name; "" where nothing shows it
	byFoe   bool
	guarded bool // the adversary made it, protected
}

// losses are the volumes of all projects that the engine destroyed. Whose an
// anonymous one was shows from the containers that mounted it.
func (w *world) losses() (out []loss) {
	made, containers, whose := map[string]time.Time{}, map[string]string{}, map[string]string{}
	for _, m := range w.engine.all() {
		name, at := nameOf(m), time.Unix(0, m.TimeNano)
		switch {
		case m.Type == events.ContainerEventType:
			containers[m.Actor.ID] = m.Actor.Attributes["com.docker.compose.project"]
		case m.Type != events.VolumeEventType:
		case m.Action == events.ActionMount && hexName.MatchString(name):
			whose[name] = containers[m.Actor.Attributes["container"]]
		case m.Action == events.ActionCreate && made[name].IsZero(): // else it was there already
			made[name] = at
			if project, _, named := strings.Cut(name, "_"); named {
				whose[name] = project
			}
		case m.Action == events.ActionDestroy:
			out = append(out, loss{name: name, at: at, made: made[name], whose: whose[name],
				byFoe: w.foe.did("removed", name, at), guarded: w.foe.did("protected", name, made[name])})
			delete(made, name)
		}
	}
	return out
}

// judge holds the project's log against the engine's events.
func (w *world) judge(sum *summary) {
	w.t.Helper()
	if err := w.engine.broken(); err != nil {
		w.t.Fatal(err)
	}
	losses, claims := w.losses(), w.claims()
	for _, l := range losses {
		if l.whose == w.name {
			w.judgeLoss(l, claims, sum)
		}
	}
	seen := map[string]bool{}
	for _, c := range claims {
		if seen[c.ID] {
			w.violated(sum, "has a second outcome", c, "", c.to)
		}
		seen[c.ID] = true
		for _, name := range c.DataAffected {
			w.judgeClaim(c, name, losses, sum)
		}
	}
	if r := w.ccdestroy("audit", "verify"); len(claims) > 0 && (r.code != 0 || strings.Contains(r.stdout, "unfinished")) {
		w.t.Errorf("seed %d, project %s: verify: exit %d\n%s", w.seed, w.name, r.code, r.stdout)
	}
	sum.count(w, losses, claims)
}

// judgeLoss: every volume of the project that the adversary did not remove is in
// exactly one record, and what it removed is in one at most; and none goes by us
// that was protected before the pending event and not named.
func (w *world) judgeLoss(l loss, claims []claim, sum *summary) {
	w.t.Helper()
	var open, named, guilty []claim
	for _, c := range claims {
		if !c.covers(l.at) {
			continue
		}
		open = append(open, c)
		if slices.Contains(c.DataAffected, l.name) {
			named = append(named, c)
		}
		if l.guarded && l.made.Before(c.pending) && !w.allowed(c, l.name) {
			guilty = append(guilty, c)
		}
	}
	if !l.byFoe && len(guilty) > 0 && len(guilty) == len(open) { // else it may have been another
		w.violated(sum, "was destroyed although protected before the pending event", guilty, l.name, l.at)
	}
	switch {
	case len(named) > 1:
		w.violated(sum, "was destroyed once and is in several records", named, l.name, l.at)
	case len(named) == 0 && !l.byFoe && slices.ContainsFunc(open, func(c claim) bool { return c.blind(l) }):
		sum.passed(&sum.unseen)
	case len(named) == 0 && !l.byFoe:
		w.violated(sum, "was destroyed and is in no record", open, l.name, l.at)
	}
}

// tellLimit is how long before a pending event the adversary may have destroyed
// what the event names: the engine takes its time to tell.
const tellLimit = 500 * time.Millisecond

// judgeClaim: what a record names was destroyed in its time, and was of the
// project.
func (w *world) judgeClaim(c claim, name string, losses []loss, sum *summary) {
	w.t.Helper()
	known, gone, there := "", false, false
	for _, l := range losses {
		if l.name == name {
			known, gone = cmp.Or(known, l.whose), gone || c.covers(l.at) || l.byFoe && c.earlier(tellLimit).covers(l.at)
			there = there || l.at.After(c.to) && l.made.Before(c.from)
		}
	}
	if project, _, named := strings.Cut(name, "_"); named {
		known = project
	}
	switch {
	case known != "" && known != w.name:
		w.violated(sum, "is recorded, and is of another project", c, name, c.to)
	case !gone && !there && c.Details.Settled != "":
		sum.passed(&sum.silent) // the engine tells nobody of a volume that went as its client was killed
	case !gone:
		w.violated(sum, "is recorded, and was not destroyed in that time", c, name, c.to)
	}
}

// allowed reports whether the operation was told that it may destroy this
// protected volume.
func (w *world) allowed(c claim, name string) bool {
	return slices.ContainsFunc(w.ran, func(r ran) bool {
		i := slices.Index(r.args, name)
		return i > 0 && r.args[i-1] == "--unprotect" && !c.pending.Before(r.from) && !c.pending.After(r.to)
	})
}

// violated fails the test, and tells what happened to the volume around a time.
func (w *world) violated(sum *summary, what string, operation any, volume string, around time.Time) {
	w.t.Helper()
	sum.violated(what)
	w.t.Errorf("seed %d, project %s, operation %v, volume %s: it %s\n%s", w.seed, w.name, operation, volume, what, w.story(volume, around))
}

// story tells what happened to a volume around a time.
func (w *world) story(name string, around time.Time) string {
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	add := func(at time.Time, format string, args ...any) {
		if at.After(around.Add(-10*time.Second)) && at.Before(around.Add(time.Second)) {
			lines = append(lines, line{at, fmt.Sprintf(format, args...)})
		}
	}
	for _, m := range w.engine.all() {
		at, by := time.Unix(0, m.TimeNano), ""
		switch {
		case m.Type != events.VolumeEventType || nameOf(m) != name:
			continue
		case m.Action == events.ActionDestroy && w.foe.did("removed", name, at):
			by = " by the adversary"
		case m.Action == events.ActionCreate && w.foe.did("protected", name, at):
			by = " by the adversary, protected"
		}
		add(at, "engine: volume %s%s", m.Action, by)
	}
	for _, r := range w.ran {
		add(r.from, "run: ccdestroy %s", strings.Join(r.args, " "))
		if r.killed != "" {
			add(r.to, "killed when %s", r.killed)
		} else {
			add(r.to, "ended: exit %d", r.code)
		}
	}
	for _, e := range w.events() {
		at, err := time.Parse(time.RFC3339Nano, e.Timestamp)
		for _, r := range e.Details.Resources {
			if r.Kind == "volume" && r.Name == name && err == nil {
				add(at, "event: %s %s of %s: asked %t, %s (%s), unforeseen %t, result %q", e.Operation, e.Outcome, e.ID, r.Asked, r.Fate, r.Reason, r.Late, r.Result)
			}
		}
	}
	for _, c := range w.claims() {
		add(c.from, "record: %s began", c.ID)
		verb := "does not name it"
		if slices.Contains(c.DataAffected, name) {
			verb = "names it"
		}
		add(c.to, "record: %s %s %s %s; settled by %q", c.ID, c.Operation, c.Outcome, verb, c.Details.Settled)
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	var out strings.Builder
	for _, l := range lines[max(0, len(lines)-30):] {
		fmt.Fprintf(&out, "\t%s %s\n", l.at.UTC().Format("15:04:05.000000"), l.text)
	}
	return out.String()
}
