package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// CCDESTROY_DEBUG shows what the engine and Compose are asked, and changes nothing
// else; the teardown itself is among it.
func TestDebug(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(single))
	s.docker("compose", "up", "--detach")
	if r := s.ccdestroy("inventory", "--format", "json"); strings.Contains(r.stderr, "debug ") {
		t.Errorf("unasked:\n%s", r.stderr)
	}
	quiet := append([]string{}, s.env...)
	s.env = append(quiet, "CCDESTROY_DEBUG=0")
	if r := s.ccdestroy("inventory"); strings.Contains(r.stderr, "debug ") {
		t.Errorf("CCDESTROY_DEBUG=0:\n%s", r.stderr)
	}
	s.env = append(quiet, "CCDESTROY_DEBUG=1")
	r := s.ccdestroy()
	for _, want := range []string{`debug \d\d:\d\d:\d\d\.\d{3} GET /v1\.\d+/volumes`, `GET /v1\.\d+/events\?`, `run \S+ \[.*"down" "--volumes"\]`} {
		if !regexp.MustCompile(want).MatchString(r.stderr) {
			t.Errorf("%s is missing:\n%s", want, r.stderr)
		}
	}
	if r.code != 0 || s.last().Outcome != "success" {
		t.Errorf("exit %d", r.code)
	}
}
