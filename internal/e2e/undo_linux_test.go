package e2e

import (
	"testing"
)

// ways are the two ways to the trash of an engine: directly, and through this
// program in a container, where the engine is another host's by its address.
func ways(t *testing.T, run func(t *testing.T, way func(*stack))) {
	t.Run("directly", func(t *testing.T) { run(t, func(*stack) {}) })
	t.Run("helper", func(t *testing.T) {
		p := newProxy(t)
		run(t, func(s *stack) { s.env = append(withoutVariables(s.env, "DOCKER_HOST"), "DOCKER_HOST="+p.host()) })
	})
}

func TestUndo(t *testing.T) {
	ways(t, func(t *testing.T, way func(*stack)) {
		s := newStack(t, one(talker))
		way(s)
		s.talking()
		r := s.ccdestroy("--keep-for", "7d")
		t.Log(r)
		if r.code != 0 || s.hasVolume("PROJ_data") {
			t.Fatalf("exit %d", r.code)
		}
		t.Logf("%+v", s.last())
	})
}
