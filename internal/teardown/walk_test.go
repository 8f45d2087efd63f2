package teardown

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/record"
)

// -seed tells of every step of one walk.
var onlySeed = flag.Int("seed", -1, "walk this seed alone, and tell of every step")

// One teardown after the other, of one project with one log, in a world that moves
// and fails at any moment. Whatever happens: nothing goes that was not recorded,
// and no record tells of what did not go.
func TestWalk(t *testing.T) {
	first, seeds := 0, 1500
	switch {
	case *onlySeed >= 0:
		first, seeds = *onlySeed, *onlySeed+1
	case testing.Short():
		seeds = 150
	}
	for seed := first; seed < seeds; seed++ {
		fake.Bubble(t, fmt.Sprint("seed ", seed), func(t testing.TB) { walk(t, uint64(seed)) })
	}
}

func walk(t testing.TB, seed uint64) {
	dice := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t, scene{})
	w.Births = dice.IntN(2) == 0
	for range 1 + dice.IntN(4) {
		s := scene{confirm: []string{record.Unattended, record.Typed}[dice.IntN(2)], save: dice.IntN(2) == 0, stubborn: dice.IntN(2) == 0}
		s.answers = []Answer{[]Answer{Typed, Typed, SaveFirst, Declined}[dice.IntN(4)]}
		rate := []float64{0, 0.02, 0.1}[dice.IntN(3)]
		p := s.do(w, func(p *play, ctx context.Context, step fake.Step) error {
			if step.N == 1 && slices.Contains([]string{"version", "model", "describe"}, step.Name) {
				return nil // three at once, in any order
			}
			if *onlySeed >= 0 {
				t.Log(step)
			}
			if dice.Float64() >= rate {
				return p.fails(step)
			}
			d := disturbances[dice.IntN(len(disturbances))]
			if *onlySeed >= 0 {
				t.Log("   ", d.name)
			}
			if err := d.do(ctx, p); err != nil {
				return err
			}
			return p.fails(step)
		})
		if *onlySeed >= 0 {
			t.Log(p.code, p.err, p.Outcome(), p.notes)
		}
		p.Check()
		w.Run("shop-db-1", "shop", "db", "shop_data", fake.Unnamed)
		w.Run("shop-web-1", "shop", "web", "shop_uploads")
		if dice.IntN(3) == 0 {
			w.Free("shop_data")
			w.Remove("shop_data")
		}
	}
	last := &play{Process: w.Process()}
	book := last.book()
	if r, err := book.Reconcile(t.Context(), false); err != nil || len(r.Obstacles) > 0 || r.Left > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	last.Check()
	w.CheckSwept()
	w.CheckHistory()
}

// Several teardowns of one project at once: each waits for the one before, and
// what went is in one record alone.
func TestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scene{})
		plays := make(chan *play)
		for i := range 3 {
			go func() {
				s := scene{confirm: record.Unattended, save: i == 1}
				plays <- s.do(w, func(*play, context.Context, fake.Step) error { time.Sleep(time.Second); return nil })
			}()
		}
		destroyed, waited := 0, 0
		for range 3 {
			p := <-plays
			if p.code != 0 || p.err != nil {
				t.Errorf("exit %d, %v", p.code, p.err)
			}
			destroyed += min(1, len(p.Process.Destroyed()))
			waited += len(p.notes)
		}
		if destroyed != 1 || waited != 2 {
			t.Errorf("%d destroyed something, %d waited", destroyed, waited)
		}
		last := w.Process()
		last.Check()
		w.CheckHistory()
	})
}
