package teardown

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/record"
)

// A volume that came after the look is in the record although the teardown was
// killed before it could tell what went, and only when it is gone.
func TestKilledWithLateVolume(t *testing.T) {
	for _, orphan := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := scene{confirm: record.Unattended}
			w := newWorld(t, s)
			p := s.do(w, func(p *play, ctx context.Context, step fake.Step) error {
				switch {
				case step.Name == "begin" && step.After:
					w.Make("shop_cache")
				case step.Name == "volume" && !step.After:
					p.compose.Orphan = orphan
					p.Kill()
				}
				return nil
			})
			if e, _ := p.Event(); e.Outcome != audit.Pending || !slices.Contains(e.DataAffected, "shop_cache") {
				t.Errorf("%s of %q", e.Outcome, e.DataAffected)
			}
			settled(p)
			if e, _ := p.Event(); slices.Contains(e.DataAffected, "shop_cache") != orphan || w.Has("shop_cache") == orphan {
				t.Errorf("%s of %q; there %t", e.Outcome, e.DataAffected, w.Has("shop_cache"))
			}
		})
	}
}

// The outcome tells of a late volume although noting it failed.
func TestLateVolumeNotNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scene{confirm: record.Unattended}
		w := newWorld(t, s)
		p := s.do(w, func(p *play, ctx context.Context, step fake.Step) error {
			switch {
			case step.Name == "begin" && step.After:
				w.Make("shop_cache")
			case step.Name == "append" && step.N == 1 && !step.After:
				return fake.ErrFailed
			}
			return nil
		})
		p.check()
		if e, _ := p.Event(); e.Outcome != audit.Success || !slices.Contains(e.DataAffected, "shop_cache") || p.code != 0 {
			t.Errorf("%s of %q, exit %d", e.Outcome, e.DataAffected, p.code)
		}
	})
}
