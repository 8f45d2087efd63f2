package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// event is a line of the log, read by field names alone and not by the
// product's own types.
type event struct {
	V            int      `json:"v"`
	Seq          int      `json:"seq"`
	ID           string   `json:"id"`
	Timestamp    string   `json:"timestamp"`
	Operation    string   `json:"operation"`
	Outcome      string   `json:"outcome"`
	User         string   `json:"user"`
	DataAffected []string `json:"data_affected"`
	ExportPath   string   `json:"export_path"`
	Details      struct {
		Project      string   `json:"project"`
		Mode         string   `json:"mode"`
		Fallback     string   `json:"fallback"`
		Via          string   `json:"resolved_by"`
		Command      []string `json:"command"`
		Executed     string   `json:"executed"`
		Confirmation string   `json:"confirmation"`
		Signal       string   `json:"signal"`
		Error        string   `json:"error"`
		Stderr       string   `json:"stderr"`
		ExitCode     *int     `json:"exit_code"`
		StartedAt    string   `json:"started_at"`
		Settled      string   `json:"settled"`
		Stopped      []string `json:"stopped"`
		Export       struct {
			Manifest string `json:"manifest_sha256"`
			Volumes  []struct{ Name string }
		} `json:"export"`
		Kept, Undone, Purged []struct{ Name, Until, Operation, As string }
		Remaining            []string `json:"remaining"`
		Unforeseen           []string `json:"unforeseen"`
		Runs                 []string `json:"runs"`
		BytesLost            int64    `json:"bytes_lost"`
		Resources            []struct {
			Kind      string   `json:"kind"`
			Name      string   `json:"name"`
			Asked     bool     `json:"asked"`
			Fate      string   `json:"fate"`
			Reason    string   `json:"reason"`
			Result    string   `json:"result"`
			Claimed   string   `json:"claimed_by"`
			Protected bool     `json:"protected"`
			Late      bool     `json:"unforeseen"`
			UsedBy    []string `json:"used_by"`
		} `json:"resources"`
	} `json:"details"`
}

// eventsIn reads a log and checks every line against the published schema.
func eventsIn(t *testing.T, path string) []event {
	t.Helper()
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	schema := schema(t)
	var out []event
	for line := range strings.Lines(string(data)) {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Fatalf("line %d is not JSON: %v", len(out)+1, err)
		}
		if err := schema.Validate(value); err != nil {
			t.Fatalf("line %d is not as docs/audit-event.schema.json says: %v\n%s", len(out)+1, err, line)
		}
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("../../docs/audit-event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stack) logPath() string { return filepath.Join(s.dir, ".contextcore", "audit.jsonl") }

func (s *stack) events() []event { return eventsIn(s.t, s.logPath()) }

// last returns the newest event of the project's log.
func (s *stack) last() event {
	s.t.Helper()
	all := s.events()
	if len(all) == 0 {
		s.t.Fatal("the log has no events")
	}
	return all[len(all)-1]
}

// ended waits until the newest operation has an outcome.
func (s *stack) ended() event {
	s.t.Helper()
	waitFor(s.t, "the outcome", func() bool { all := s.events(); return len(all) > 0 && all[len(all)-1].Outcome != "pending" })
	return s.last()
}

// settled holds the record of a teardown that a signal met against the engine.
func (s *stack) settled(before []object, code, wantCode int, outcome, signal string) {
	s.t.Helper()
	last := s.last()
	if code != wantCode || last.Outcome != outcome || last.Details.Signal != signal {
		s.t.Errorf("exit %d, outcome %q, signal %q; want %d, %q, %q (%s)", code, last.Outcome, last.Details.Signal, wantCode, outcome, signal, last.Details.Stderr)
	}
	vanished := s.vanished(before)
	for _, r := range last.Details.Resources {
		key := r.Kind + " " + strings.ReplaceAll(r.Name, s.name, "PROJ")
		if went := slices.Contains(vanished, key); r.Kind != "bind" && went != (r.Result == "gone") {
			s.t.Errorf("%s: recorded as %s, vanished: %v", key, r.Result, went)
		}
	}
	if first := s.events()[0]; first.Outcome != "pending" || first.ID != last.ID {
		s.t.Errorf("no pending event precedes: %+v", first)
	}
}

// compareWith holds an outcome against what vanished of what was there before.
func (s *stack) compareWith(last event, before []object, vanished []string) {
	s.t.Helper()
	volumes := []string{}
	for _, v := range last.DataAffected {
		volumes = append(volumes, "volume "+s.alias(before, v))
	}
	slices.Sort(volumes)
	gone := slices.DeleteFunc(slices.Clone(vanished), func(v string) bool { return !strings.HasPrefix(v, "volume ") })
	want := "partial"
	switch len(vanished) {
	case 0:
		want = "failed"
	case len(before):
		want = "success"
	}
	if last.Outcome != want || !slices.Equal(volumes, gone) {
		s.t.Fatalf("recorded as %s with %q, but of %d things these vanished: %q", last.Outcome, volumes, len(before), vanished)
	}
}
