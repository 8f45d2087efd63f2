package e2e

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// A log is rotated between teardowns, not in one that was cut off; what the
// older segments say counts as before.
func TestRotateBetweenTeardowns(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.Replace(slow, "QUICK", "", 1)))
	s.docker("compose", "up", "--detach")
	s.killed()
	open := s.last().ID
	if r := s.ccdestroy("audit", "rotate"); r.code != 5 || !strings.Contains(r.stderr, "destroy "+open+" is unfinished") || !strings.Contains(r.stderr, "Try: ccdestroy reconcile") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("reconcile"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	s.docker("compose", "up", "--detach")
	export := s.exported()
	var segments []string
	rotate := func() {
		t.Helper()
		r := s.ccdestroy("audit", "rotate")
		if r.code != 0 {
			t.Fatal(r.stderr)
		}
		segments = append(segments, strings.TrimSpace(r.stdout))
	}
	rotate()
	if r := s.ccdestroy("record", "--operation", "delete_dashboard", "--outcome", "success"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	rotate()
	var inventory struct {
		Resources []struct {
			Kind, Name string
			LastExport *struct {
				Path  string
				There bool
			} `json:"last_export"`
		}
	}
	r := s.ccdestroy("inventory", "--format", "json")
	if err := json.Unmarshal([]byte(r.stdout), &inventory); err != nil || r.stderr != "" {
		t.Fatal(err, r.stderr)
	}
	seen := 0
	for _, v := range inventory.Resources {
		if v.Kind == "volume" {
			if seen++; v.LastExport == nil || v.LastExport.Path != export || !v.LastExport.There {
				t.Errorf("%s: %+v, not %s", v.Name, v.LastExport, export)
			}
		}
	}
	before := s.objects(context.Background())
	if r := s.ccdestroy("--timeout", "0"); r.code != 0 || seen == 0 {
		t.Fatalf("exit %d, %d volumes\n%s", r.code, seen, r.stderr)
	}
	if len(s.vanished(before)) == 0 {
		t.Error("nothing went")
	}
	if r := s.ccdestroy("audit", "-q", "-n", "0"); !strings.Contains(r.stdout, open) || r.stderr != "" {
		t.Errorf("%s is not in\n%s%s", open, r.stdout, r.stderr)
	}
	if r := s.ccdestroy("audit", "verify"); r.code != 0 || !strings.Contains(r.stdout, "of 3 segments") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
	for _, path := range segments {
		if events := eventsIn(t, path); events[len(events)-1].Operation != "rotate" {
			t.Errorf("%s ends with %+v", path, events[len(events)-1])
		}
	}
}
