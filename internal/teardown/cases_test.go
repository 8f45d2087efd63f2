package teardown

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/record"
)

// when has something happen at one step.
func when(step string, n int, after bool, do func(*play) error) func(*play, context.Context, fake.Step) error {
	return func(p *play, _ context.Context, s fake.Step) error {
		if s == (fake.Step{Name: step, N: n, After: after}) {
			return do(p)
		}
		return p.fails(s)
	}
}

// A protected volume that was named, and that somebody else removes while the
// question stands, is no reason to refuse.
func TestUnprotectedVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scene{confirm: record.Typed, free: []string{"shop_cache"}}
		w := newWorld(t, s)
		w.Make("shop_cache", "ccdestroy.protect=true")
		p := s.do(w, when("ask", 1, false, func(p *play) error { w.Remove("shop_cache"); return nil }))
		p.check()
		if p.code != 0 || p.asked != 1 || w.Has("shop_data") {
			t.Errorf("exit %d, asked %d times, %v", p.code, p.asked, p.err)
		}
		s.free = []string{"shop_cahce"}
		if p := s.do(newWorld(t, s), nil); p.code != fault.ExitUsage || !strings.Contains(p.err.Error(), "shop_cahce") {
			t.Errorf("a name that means nothing: exit %d, %v", p.code, p.err)
		}
	})
}

// What came while the question stood is asked about in words, and never goes
// without an answer.
func TestAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scene{confirm: record.Typed, answers: []Answer{Typed, Declined}}
		w := newWorld(t, s)
		p := s.do(w, when("ask", 1, true, func(p *play) error { w.Make("shop_cache"); return nil }))
		p.check()
		if p.code != fault.ExitDeclined || p.asked != 2 || len(p.questions[1].Changes) != 1 || p.questions[1].Changes[0].String() != "volume shop_cache is new" || len(w.Destroyed()) > 0 {
			t.Errorf("exit %d, asked %d times, %v", p.code, p.asked, p.questions)
		}
	})
}

// Where nobody can be asked, what came meanwhile stops a teardown; one that
// exports saves it as well, and goes on.
func TestNobodyToAsk(t *testing.T) {
	for _, save := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := scene{confirm: record.ByFlag, save: save}
			w := newWorld(t, s)
			p := s.do(w, when("snapshot", 1, true, func(p *play) error { w.Make("shop_cache"); return nil }))
			p.check()
			switch {
			case save && (p.code != 0 || w.Has("shop_cache")):
				t.Errorf("exporting: exit %d, %v", p.code, p.err)
			case !save && (p.code != fault.ExitRefused || !strings.Contains(fmt.Sprint(p.err), "volume shop_cache is new") || len(w.Destroyed()) > 0 || p.Outcome() != audit.Failed):
				t.Errorf("exit %d, %v, %s; destroyed %v", p.code, p.err, p.Outcome(), w.Destroyed())
			}
		})
	}
}

// What another hand destroyed before the teardown began is not in its record.
func TestGoneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scene{confirm: record.Unattended}
		w := newWorld(t, s)
		p := s.do(w, when("snapshot", 1, true, func(p *play) error { w.Free("shop_data"); w.Remove("shop_data"); return nil }))
		p.check()
		if e, _ := p.Event(); p.code != 0 || e.Outcome != audit.Success || !slices.Equal(e.DataAffected, []string{"shop_uploads"}) {
			t.Errorf("exit %d, %s of %q", p.code, e.Outcome, e.DataAffected)
		}
	})
}

// Compose that cannot be started has destroyed nothing: it is recorded, and where
// it cannot be, the user is told.
func TestUnstarted(t *testing.T) {
	for _, dumb := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := scene{confirm: record.Unattended, save: true}
			w := newWorld(t, s)
			p := s.do(w, when("down", 1, false, func(p *play) error {
				if dumb {
					p.fail("append")
				}
				return fake.ErrFailed
			}))
			p.check()
			if p.code != 1 || p.err == nil || !strings.Contains(p.err.Error(), "it failed on purpose") || !w.Runs("shop-db-1") || w.Runs("shop-job-1") {
				t.Errorf("exit %d, %v; db runs %t", p.code, p.err, w.Runs("shop-db-1"))
			}
			want := audit.Failed
			if dumb {
				want = audit.Pending
			}
			if told := strings.Contains(strings.Join(p.notes, " "), "not recorded"); p.Outcome() != want || told != dumb {
				t.Errorf("%s, notes %q", p.Outcome(), p.notes)
			}
		})
	}
}

// An engine that goes away for good leaves an operation unfinished that names what
// is known, a volume that nobody had foreseen too; when it is back, it is settled.
func TestEngineGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scene{confirm: record.Unattended}
		w := newWorld(t, s)
		began := time.Now()
		p := s.do(w, when("begin", 1, true, func(p *play) error {
			w.Make("shop_cache")
			p.At = func(ctx context.Context, step fake.Step) error {
				if step.Name == "down ended" {
					p.fail("snapshot")
				}
				return p.fails(step)
			}
			return nil
		}))
		p.check()
		e, _ := p.Event()
		if p.code != 1 || e.Outcome != audit.Pending || !slices.Contains(e.DataAffected, "shop_cache") || p.ending.Outcome != audit.Pending {
			t.Errorf("exit %d, %s of %q", p.code, e.Outcome, e.DataAffected)
		}
		if waited := time.Since(began); waited < answerLimit || waited > restLimit {
			t.Errorf("it waited %s for an answer", waited)
		}
		settled(p)
		e, _ = p.Event()
		if d, _ := record.ParseDetails(e); e.Outcome != audit.Success || len(e.DataAffected) != 4 || d.Settled != record.SettledLater || d.Error != "" || d.ExitCode == nil {
			t.Errorf("%s of %q, settled %q, error %q", e.Outcome, e.DataAffected, d.Settled, d.Error)
		}
	})
}

// An engine that does not rest is given up after a while; what is still there is
// said to be.
func TestEngineNeverRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scene{confirm: record.Unattended}
		w := newWorld(t, s)
		w.Removing("shop-slow-1", "shop")
		began := time.Now()
		p := s.do(w, nil)
		p.Check()
		if waited := time.Since(began); waited < restLimit || waited > restLimit+time.Second || p.code != 0 || len(p.notes) != 1 || !strings.Contains(p.notes[0], "come to rest") {
			t.Errorf("exit %d after %s, notes %q", p.code, waited, p.notes)
		}
	})
}

// What the evidence means: the outcome and the exit code, of one signal or none.
func TestEndings(t *testing.T) {
	stranger := func(w *fake.World) { w.Run("stranger-2", "", "", "shop_data") }
	for name, c := range map[string]struct {
		world    func(*fake.World)
		at       func(*play, context.Context, fake.Step) error
		stubborn bool
		outcome  audit.Outcome
		code     int
	}{
		"all gone":                          {nil, nil, false, audit.Success, 0},
		"one remains":                       {stranger, nil, false, audit.Partial, 3},
		"Compose fails at once":             {nil, when("container", 1, false, fails), false, audit.Failed, 1},
		"Compose fails half way":            {nil, when("volume", 1, false, fails), false, audit.Partial, 3},
		"Compose fails when all is gone":    {nil, when("volume", 3, true, fails), false, audit.Success, 0},
		"a signal before anything":          {nil, when("down", 1, true, interrupt), false, audit.Partial, 130},
		"a signal, and it goes on":          {nil, when("down", 1, true, interrupt), true, audit.Success, 0},
		"a signal, and one remains":         {stranger, when("down", 1, true, interrupt), true, audit.Partial, 130},
		"a signal before the pending event": {nil, when("snapshot", 1, true, interrupt), false, audit.Cancelled, 130},
	} {
		fake.Bubble(t, name, func(t testing.TB) {
			s := scene{confirm: record.Unattended, stubborn: c.stubborn}
			w := newWorld(t, s)
			if c.world != nil {
				c.world(w)
			}
			p := s.do(w, c.at)
			p.Check()
			if p.Outcome() != c.outcome || p.code != c.code {
				t.Errorf("%s, exit %d, want %s, %d", p.Outcome(), p.code, c.outcome, c.code)
			}
		})
	}
}

func fails(*play) error { return fake.ErrFailed }

func interrupt(p *play) error {
	select {
	case p.Signals <- syscall.SIGINT:
	default:
	}
	return nil
}

// What an export stopped runs again when Compose then destroys nothing, and only
// what ran before.
func TestStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scene{confirm: record.Unattended, save: true}
		w := newWorld(t, s)
		p := s.do(w, when("container", 1, false, fails))
		p.check()
		if p.code != 1 || p.Outcome() != audit.Failed || !w.Runs("shop-db-1") || !w.Runs("shop-web-1") || w.Runs("shop-job-1") || p.exported == nil {
			t.Errorf("exit %d, %s; db runs %t, job runs %t", p.code, p.Outcome(), w.Runs("shop-db-1"), w.Runs("shop-job-1"))
		}
	})
}
