package teardown

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// shop is the project of these tests: cache is declared and not there yet.
var shop = inventory.Model{
	Project: "shop", Mode: inventory.Files,
	Services: map[string]inventory.Service{"db": {Going: true}, "web": {Going: true}, "job": {Going: true}},
	Volumes:  []inventory.Declared{{Key: "cache", Name: "shop_cache"}, {Key: "data", Name: "shop_data"}, {Key: "uploads", Name: "shop_uploads"}},
	Networks: []inventory.Declared{{Key: "default", Name: "shop_default"}},
}

// scene is one way of calling a teardown.
type scene struct {
	name     string
	confirm  string
	save     bool
	answers  []Answer // one after the other; Typed when there are none left
	free     []string // --unprotect
	stubborn bool     // Compose does not end by a signal
	old      bool     // an engine that does not tell volumes of one name apart
	deaf     bool     // and cannot be followed
	far      bool     // an engine whose files are not here
	keep     bool     // what goes is set aside
}

var scenes = []scene{
	{name: "unattended", confirm: record.Unattended},
	{name: "asked", confirm: record.Typed},
	{name: "exporting", confirm: record.Unattended, save: true},
	{name: "asked and exporting", confirm: record.Typed, answers: []Answer{SaveFirst}, stubborn: true},
	{name: "declined", confirm: record.Typed, answers: []Answer{Declined}},
	{name: "never answered", confirm: record.Typed, answers: []Answer{TimedOut}},
	{name: "an old engine, far away", confirm: record.Unattended, old: true},
	{name: "an old engine, asked and exporting", confirm: record.Typed, save: true, old: true},
	{name: "keeping", confirm: record.Unattended, keep: true},
	{name: "keeping, far away", confirm: record.Unattended, keep: true, far: true},
	{name: "asked, keeping, exporting", confirm: record.Typed, answers: []Answer{SaveFirst}, keep: true},
	{name: "keeping on an old engine, far away", confirm: record.Unattended, keep: true, old: true},
	{name: "events that cannot be followed", confirm: record.Typed, deaf: true},
}

// play is one run of a scene.
type play struct {
	scene
	*fake.Process
	run       *Run
	code      int
	err       error
	notes     []string
	asked     int
	questions []Question
	agreed    map[string]int // volumes that were shown at a question that was answered yes, by name
	ending    *record.Ending

	compose *fake.Compose
	mu      sync.Mutex // guards the next one
	failing []string   // names of steps that fail

	draft, exported map[string]int
}

func newWorld(t testing.TB, s scene) *fake.World {
	w := fake.New(t)
	w.Births, w.Engine.StableCreated, w.Deaf = !s.old && !s.far, !s.old, s.deaf
	if s.keep {
		w.Root = fake.Dir(t)
	}
	w.Network("shop", "default")
	w.Make("shop_data", "com.docker.compose.project=shop", "com.docker.compose.volume=data")
	w.Make("shop_uploads")
	w.Make("stranger")
	w.Run("shop-db-1", "shop", "db", "shop_data", fake.Unnamed)
	w.Run("shop-web-1", "shop", "web", "shop_uploads")
	w.Run("shop-job-1", "shop", "job")
	w.Halt("shop-job-1")
	w.Run("stranger-1", "", "", "stranger")
	return w
}

// book is the process's.
func (p *play) book() record.Book {
	log := *p.Log
	destroy := Settler(p, p, p.Trash)
	return record.Book{
		Log: &log, Recorder: p.Recorder(), User: "ana", Tool: "test", Now: p.Now, Note: func(text string) { p.notes = append(p.notes, text) },
		NewID: func(at time.Time) string {
			return fmt.Sprintf("01KB%022d", at.Sub(fake.Epoch)/time.Second)
		},
		Settlers: map[string]record.Settler{audit.Destroy: destroy}, LockTimeout: time.Hour,
	}
}

// do runs the scene in a world, with at called at every step.
func (s scene) do(w *fake.World, at func(*play, context.Context, fake.Step) error) *play {
	p := &play{scene: s, Process: w.Process(), agreed: map[string]int{}, draft: map[string]int{}}
	if at != nil {
		p.At = func(ctx context.Context, step fake.Step) error { return at(p, ctx, step) }
	}
	p.compose = &fake.Compose{Process: p.Process, Is: shop, Stubborn: s.stubborn}
	p.compose.Is.Dir = w.Dir()
	p.run = &Run{
		Resolver: p.compose, Child: p.compose, Engine: p, Events: following{p.Process}, Containers: p, Saver: p, Screen: p,
		Place: record.Place{Book: p.book()}, Signals: p.Signals, Options: inventory.Options{Volumes: true}, Confirm: s.confirm, Save: s.save, Unprotect: s.free,
	}
	if s.keep {
		p.run.Keeper = &trash.Keeper{Open: p.Trash, For: 7 * 24 * time.Hour, Now: p.Now}
	}
	p.code, p.err = p.run.Do(context.Background())
	return p
}

// following gives the fake's watcher its type.
type following struct{ *fake.Process }

func (f following) Watch(ctx context.Context) Watcher { return f.Process.Watch(ctx) }

// Inventory shows.
func (p *play) Inventory(inventory.Inventory, bool) {}

// Ask answers, and notes which volumes were shown.
func (p *play) Ask(ctx context.Context, q Question) (Answer, error) {
	shown := map[string]int{}
	for _, name := range q.Inventory.AskedVolumes() {
		if v := p.Volume(name); v != nil {
			shown[name] = birth(q.Inventory, name)
		}
	}
	answer := Typed
	if p.asked < len(p.answers) {
		answer = p.answers[p.asked]
	}
	p.asked++
	p.questions = append(p.questions, q)
	err := p.Do(ctx, "ask", func() error { return nil })
	if err == nil && (answer == Typed || answer == SaveFirst) {
		p.agreed = shown
	}
	return answer, err
}

// birth is that of a volume as an inventory knows it, 0 where it does not.
func birth(inv inventory.Inventory, name string) int {
	for _, r := range inv.Resources {
		if at, err := time.Parse(time.RFC3339, r.Created); err == nil && r.Kind == inventory.KindVolume && r.Name == name {
			return int(at.Sub(fake.Epoch) / time.Second)
		}
	}
	return 0
}

// Done notes how it ended.
// Tell is not called: these projects have files.
func (p *play) Tell(text string) { p.T.Errorf("told: %s", text) }

func (p *play) Done(e record.Ending) { p.ending = &e }

// Save is the saver's.
func (p *play) Save(ctx context.Context, lock string, _ inventory.Inventory, volumes []inventory.Volume, stop func(context.Context) error) error {
	if err := p.Do(ctx, "save", func() error { return nil }); err != nil {
		return err
	}
	if stop != nil {
		if err := stop(ctx); err != nil {
			return err
		}
	}
	var names []string
	for _, v := range volumes {
		names = append(names, v.Name)
	}
	births, err := p.Read(ctx, names)
	for name, at := range births {
		p.draft[name] = at
	}
	return err
}

// Finish makes an export.
func (p *play) Finish(ctx context.Context, id string) (out record.Export, err error) {
	err = p.Do(ctx, "finish", func() error {
		out = record.Export{Path: "/export", Manifest: strings.Repeat("0", 64)}
		for name := range p.draft {
			out.Volumes = append(out.Volumes, record.Exported{Name: name})
		}
		p.exported, p.draft = p.draft, nil
		return nil
	})
	return out, err
}

// Drop drops the draft.
func (p *play) Drop() { p.draft = nil }

// check holds what came of it against section 2 and 5 of the design.
func (p *play) check() {
	p.T.Helper()
	p.Check()
	if p.Killed() {
		return
	}
	if len(p.draft) > 0 {
		p.T.Errorf("half an export was left: %v", p.draft)
	}
	event, recorded := p.Event()
	var d record.Details
	if recorded {
		var err error
		if d, err = record.ParseDetails(event); err != nil {
			p.T.Errorf("%v", err)
		}
	}
	signal := 0
	if d.Signal != "" {
		signal = 128 + int(syscall.SIGTERM)
	}
	want := map[audit.Outcome][]int{
		audit.Success: {0}, audit.Partial: {3}, audit.Failed: {1, 2, 5, 6}, audit.Cancelled: {4}, audit.Pending: {1, 6}, "": {1, 4, 6},
	}[event.Outcome]
	if signal != 0 {
		want = map[audit.Outcome][]int{audit.Success: {0}, audit.Partial: {signal}, audit.Cancelled: {signal}, audit.Failed: {signal}, audit.Pending: {signal}}[event.Outcome]
	}
	if p.ending != nil && p.ending.Unrecorded != nil { // the log does not say how it ended
		want = append(want, record.Ended{Outcome: p.ending.Outcome}.Code(max(0, signal-128), p.ending.Unrecorded))
	}
	if !slices.Contains(want, p.code) && !(p.code == 128+int(syscall.SIGTERM) && event.Outcome == "") {
		p.T.Errorf("exit %d with the outcome %q, want %v (%v)", p.code, event.Outcome, want, p.err)
	}
	if (p.err != nil) == (p.ending != nil) {
		p.T.Errorf("told both or neither: %v, %v", p.err, p.ending)
	}
	if mine := p.Process.Destroyed(); len(mine) > 0 && (p.err != nil || event.Outcome == audit.Failed || event.Outcome == audit.Cancelled) {
		p.T.Errorf("%s, %v, and %v were destroyed", event.Outcome, p.err, mine)
	}
	p.checkLeft(event, d)
	p.checkAgreed(event)
}

// checkLeft holds the outcome against what is there.
func (p *play) checkLeft(event audit.Event, d record.Details) {
	for _, r := range d.Resources {
		v := p.Volume(r.Name)
		same := v != nil && r.Kind == inventory.KindVolume && r.Asked && birth(d.Inventory, r.Name) == v.Birth
		switch {
		case same && event.Outcome == audit.Success:
			p.T.Errorf("success, and volume %s is there still", r.Name)
		case same && (r.Result == inventory.Gone || r.Result == inventory.Remade):
			p.T.Errorf("volume %s is %s, and there still", r.Name, r.Result)
		}
	}
}

// checkAgreed makes sure that what was destroyed was agreed on and exported, as
// far as it could be seen before.
func (p *play) checkAgreed(event audit.Event) {
	for _, d := range p.Process.Destroyed() {
		if d.Birth > p.Looked() {
			continue
		}
		if agreed, shown := p.agreed[d.Name]; p.confirm == record.Typed && (!shown || agreed != d.Birth) {
			p.T.Errorf("volume %s of %d was destroyed; agreed on were %v", d.Name, d.Birth, p.agreed)
		}
		if at, saved := p.exported[d.Name]; p.run.Save && (!saved || at != d.Birth) {
			p.T.Errorf("volume %s of %d was destroyed; exported were %v", d.Name, d.Birth, p.exported)
		}
	}
}

// A teardown that nobody disturbs.
func TestFlow(t *testing.T) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, s)
				p := s.do(w, nil)
				p.check()
				if s.answers != nil && s.answers[0] != SaveFirst {
					if p.Outcome() != audit.Cancelled || p.code != 4 {
						t.Errorf("%s, exit %d", p.Outcome(), p.code)
					}
					return
				}
				if p.Outcome() != audit.Success || p.code != 0 || len(p.Process.Destroyed()) != 3 || !w.Has("stranger") || len(p.notes) > 0 {
					t.Errorf("%s, exit %d, %v; %v; notes %q", p.Outcome(), p.code, p.err, p.Process.Destroyed(), p.notes)
				}
				if aside := asideIn(w); s.keep && aside != 3 || !s.keep && aside != 0 {
					t.Errorf("%d volumes are set aside: %v", aside, w.Places())
				}
				if looks := count(p, "snapshot"); looks > 4 {
					t.Errorf("it looked %d times", looks)
				}
			})
		})
	}
}

func asideIn(w *fake.World) (n int) {
	for _, at := range w.Places() {
		if strings.HasPrefix(at[0], "ccdestroy-trash/") {
			n++
		}
	}
	return n
}

func count(p *play, name string) (n int) {
	for _, s := range p.Steps() {
		if s.Name == name && !s.After {
			n++
		}
	}
	return n
}

// disturbance is something that happens at a step.
type disturbance struct {
	name string
	do   func(context.Context, *play) error
}

var disturbances = []disturbance{
	{"a volume appears", moves(func(w *fake.World) { w.Make("shop_cache") })},
	{"a protected volume appears", moves(func(w *fake.World) { w.Make("shop_cache", "ccdestroy.protect=true") })},
	{"a volume vanishes", moves(func(w *fake.World) { w.Free("shop_uploads"); w.Remove("shop_uploads") })},
	{"a volume is made again", moves(func(w *fake.World) { w.Free("shop_uploads"); w.Remove("shop_uploads"); w.Make("shop_uploads") })},
	{"a volume is made again, protected", moves(func(w *fake.World) {
		w.Free("shop_uploads")
		w.Remove("shop_uploads")
		w.Make("shop_uploads", "ccdestroy.protect=true")
	})},
	{"a volume comes into use", moves(func(w *fake.World) { w.Run("stranger-2", "", "", "shop_data") })},
	{"a container comes", moves(func(w *fake.World) { w.Run("shop-web-2", "shop", "web", "shop_uploads", fake.Unnamed) })},
	{"a container is stopped", moves(func(w *fake.World) { w.Halt("shop-web-1") })},
	{"a container goes", moves(func(w *fake.World) { w.Free("shop_uploads") })},
	{"a signal comes", func(ctx context.Context, p *play) error { p.Signal(ctx, syscall.SIGTERM); return nil }},
	{"a signal comes, and is noticed late", func(_ context.Context, p *play) error {
		select {
		case p.Signals <- syscall.SIGTERM:
		default:
		}
		return nil
	}},
	{"it fails", func(context.Context, *play) error { return fake.ErrFailed }},
	{"it is killed", func(_ context.Context, p *play) error { p.Kill(); return nil }},
	{"it is killed, and Compose goes on", func(_ context.Context, p *play) error { p.compose.Orphan = true; p.Kill(); return nil }},
	{"the engine goes away", fromNow("describe", "snapshot", "start", "stop", "compose stop", "container", "network", "volume", "read")},
	{"nothing can be recorded any more", fromNow("check", "begin", "append")},
}

// fromNow has all steps of these names fail from now on.
func fromNow(names ...string) func(context.Context, *play) error {
	return func(_ context.Context, p *play) error {
		p.fail(names...)
		return nil
	}
}

// fail has all steps of these names fail from now on.
func (p *play) fail(names ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = names
}

func (p *play) fails(step fake.Step) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !step.After && slices.Contains(p.failing, step.Name) {
		return fake.ErrFailed
	}
	return nil
}

func moves(do func(*fake.World)) func(context.Context, *play) error {
	return func(_ context.Context, p *play) error { do(p.World); return nil }
}

// Every disturbance at every step of every scene.
func TestDisturbed(t *testing.T) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			var steps []fake.Step
			synctest.Test(t, func(t *testing.T) { steps = s.do(newWorld(t, s), nil).Steps() })
			for i, d := range disturbances {
				for j, step := range steps {
					if testing.Short() && (i+j)%4 != 0 {
						continue
					}
					fake.Bubble(t, fmt.Sprintf("%s %s", d.name, step), func(t testing.TB) { s.disturbed(t, d, step) })
				}
			}
		})
	}
}

func (s scene) disturbed(t testing.TB, d disturbance, at fake.Step) {
	w := newWorld(t, s)
	var done atomic.Bool
	p := s.do(w, func(p *play, ctx context.Context, step fake.Step) error {
		if step != at {
			return p.fails(step)
		}
		done.Store(true)
		if err := d.do(ctx, p); err != nil {
			return err
		}
		return p.fails(step)
	})
	if !done.Load() {
		w.T.Errorf("the step never came")
	}
	p.check()
	settled(p)
}

// settled has a later run settle what was left unfinished, if anything, and
// checks what it says.
func settled(was *play) {
	was.T.Helper()
	later := &play{Process: was.World.Process()}
	book := later.book()
	want := 0
	if e, begun := was.Event(); begun && e.Outcome == audit.Pending {
		want = 1
	}
	r, err := book.Reconcile(context.Background(), false)
	if err != nil || len(r.Obstacles) > 0 || r.Left > 0 || r.Settled != want {
		was.T.Errorf("settled %+v, %v, want %d", r, err, want)
	}
	later.Check()
	was.CheckSettled()
	was.CheckSwept()
	was.CheckHistory()
}
