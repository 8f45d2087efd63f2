package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

// preview makes a project as a Compose that has run left it: a volume, and a
// container that is stopped. Its name is the stack's, a dash and name.
func (s *stack) preview(name string, labels map[string]string, withContainer bool) {
	s.t.Helper()
	project := s.name + "-" + name
	all := map[string]string{"com.docker.compose.project": project, "com.docker.compose.volume": "data"}
	for k, v := range labels {
		all[k] = v
	}
	s.createVolume(project+"_data", all)
	if withContainer {
		s.holder(project+"-web-1", project+"_data", map[string]string{
			"com.docker.compose.project": project, "com.docker.compose.service": "web", "com.docker.compose.oneoff": "False",
			"com.docker.compose.container-number": "1", "com.docker.compose.config-hash": "0",
		})
	}
}

// holder makes a container that refers to a volume.
func (s *stack) holder(name, volume string, labels map[string]string) {
	s.t.Helper()
	_, err := s.api.ContainerCreate(context.Background(), &container.Config{Image: os.Getenv("CCDESTROY_IMAGE"), Labels: labels},
		&container.HostConfig{NetworkMode: "none", Binds: []string{volume + ":/data"}}, nil, nil, name)
	if err != nil {
		s.t.Fatal(err)
	}
}

type reapedRow struct {
	Project, Result, Why string
	Operation            *struct {
		ID, Outcome string
		Exit        int
		Destroyed   []string
	}
}

// Many projects at once: what is over goes, each in an operation of its own; what
// is protected, in use, young, or somebody else's stays, and is told.
func TestReap(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	many := 200
	if testing.Short() {
		many = 12
	}
	for i := range many {
		labels := map[string]string{}
		if i%2 == 0 {
			labels["ccdestroy.ttl"] = "1s"
		}
		s.preview(fmt.Sprintf("review-%03d", i), labels, i%4 == 0)
	}
	s.preview("review-label", map[string]string{"ccdestroy.protect": "true"}, true)
	s.preview("review-pattern", nil, false)
	s.preview("review-young", map[string]string{"ccdestroy.ttl": "4w"}, false)
	s.preview("review-wrong", map[string]string{"ccdestroy.ttl": "soon"}, false)
	s.preview("review-Upper", map[string]string{"ccdestroy.ttl": "1s"}, false) // which Compose takes for the next one
	s.preview("review-upper", map[string]string{"ccdestroy.ttl": "4w"}, false)
	s.preview("review-held", nil, true)
	s.holder(s.name+"-stranger", s.name+"-review-held_data", nil)
	s.preview("mine", nil, true)
	s.write(".ccdestroy.yaml", "protect: ['*-pattern_data']\n")
	time.Sleep(2100 * time.Millisecond) // the age of what was made last, which the engine tells to the second

	before := len(s.objects(context.Background()))
	rules := []string{"--match", s.name + "-review-*", "--older-than", "1s"}
	dry := s.ccdestroy(append([]string{"reap", "--format", "json", "--dry-run"}, rules...)...)
	if dry.code != 0 || strings.Count(dry.stdout, `"result": "goes"`) != many+1 || s.events() != nil || len(s.objects(context.Background())) != before {
		t.Fatalf("exit %d, %d go\n%s", dry.code, strings.Count(dry.stdout, `"result": "goes"`), dry.stderr)
	}
	// Of two projects that differ by a label alone, without --older-than only that goes.
	if dry := s.ccdestroy("reap", "--dry-run", "--format", "json", "--match", s.name+"-review-00[01]"); strings.Count(dry.stdout, `"result": "goes"`) != 1 {
		t.Errorf("exit %d\n%s", dry.code, dry.stdout)
	}

	began := time.Now()
	r := s.ccdestroy(append([]string{"reap", "--format", "json", "--reason", "a test"}, rules...)...)
	t.Logf("%d projects in %s", many, time.Since(began))
	var rows []reapedRow
	if err := json.Unmarshal([]byte(r.stdout), &rows); err != nil || r.code != 3 || len(rows) != many+5 {
		t.Fatalf("exit %d, %d projects, %v\n%s\n%s", r.code, len(rows), err, r.stdout, r.stderr)
	}
	got := map[string]reapedRow{}
	for _, row := range rows {
		got[strings.TrimPrefix(row.Project, s.name+"-")] = row
	}
	for i := range many {
		name := fmt.Sprintf("review-%03d", i)
		row := got[name]
		if row.Result != "destroyed" || row.Operation == nil || len(row.Operation.Destroyed) != 1 || s.hasVolume("PROJ-"+name+"_data") {
			t.Errorf("%s: %+v", name, row)
		}
	}
	for name, want := range map[string]struct{ result, why string }{
		"review-label":   {"stays", "protected by the label ccdestroy.protect=true"},
		"review-pattern": {"stays", "protected by the pattern *-pattern_data"},
		"review-wrong":   {"stays", "ccdestroy.ttl=soon is not a length of time"},
		"review-Upper":   {"stays", "in lower case"},
		"review-held":    {"partial", s.name + "-stranger"},
	} {
		row := got[name]
		if row.Result != want.result || !strings.Contains(row.Why, want.why) || !s.hasVolume("PROJ-"+name+"_data") {
			t.Errorf("%s: %+v", name, row)
		}
	}
	if !s.hasVolume("PROJ-mine_data") || !s.has("PROJ-mine-web-1") || !s.hasVolume("PROJ-review-young_data") || !s.hasVolume("PROJ-review-upper_data") || !s.has("PROJ-stranger") {
		t.Error("something went that was not over, or not meant")
	}
	count := map[string]int{}
	for _, e := range s.events() {
		count[e.ID+" "+e.Outcome]++
		count[e.Outcome]++
	}
	if count["pending"] != many+1 || count["success"] != many || count["partial"] != 1 || len(count) != 2*(many+1)+3 {
		t.Errorf("%d pending, %d success, %d partial", count["pending"], count["success"], count["partial"])
	}
}

// What is renewed before its turn stays; a second reap finds nothing to do.
func TestReapAgain(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.Replace(single, "image: IMAGE", "image: IMAGE\n    labels: {ccdestroy.ttl: 8s}", 1)))
	s.docker("compose", "up", "--detach")
	over := func() bool {
		return strings.Contains(s.ccdestroy("reap", "--match", s.name, "--dry-run").stdout, "goes")
	}
	waitFor(t, "the project to be over", over)
	s.docker("compose", "up", "--detach", "--force-recreate")
	if r := s.ccdestroy("reap", "--match", s.name); r.code != 0 || !s.hasVolume("PROJ_data") || !strings.Contains(r.stderr, "No project has expired") {
		t.Fatalf("renewed by up: exit %d\n%s", r.code, r.stderr)
	}
	waitFor(t, "the project to be over again", over)
	if r := s.ccdestroy("reap", "--match", s.name, "--keep-for", "1h"); r.code != 0 || s.hasVolume("PROJ_data") || !strings.Contains(r.stderr, "1 project") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("undo"); r.code != 0 || !s.hasVolume("PROJ_data") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// A signal reaches every teardown that runs, and no further one begins.
func TestReapStopped(t *testing.T) {
	t.Parallel()
	s := newStack(t, one(strings.ReplaceAll(slow, "QUICK", "")))
	s.docker("compose", "up", "--detach")
	for i := range 8 {
		s.preview(fmt.Sprintf("review-%d", i), nil, false)
	}
	time.Sleep(2100 * time.Millisecond)
	cmd := s.command("", binary, "reap", "--jobs", "1", "--match", s.name+"*", "--older-than", "1s")
	var out buffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the first one to begin", func() bool { return len(s.events()) > 0 })
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 128+int(syscall.SIGTERM) || !s.hasVolume("PROJ_data") || !s.hasVolume("PROJ-review-7_data") || len(s.events()) != 2 {
		t.Errorf("exit %d, %d events\n%s", code, len(s.events()), out.String())
	}
}

// How long a project may live its own labels say, and not those of an image that
// somebody else has made.
func TestReapImageLabel(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	t.Cleanup(func() { s.docker("rmi", "PROJ-theirs") })
	s.docker("create", "--name", "PROJ-base", "IMAGE")
	s.docker("commit", "--change", "LABEL ccdestroy.ttl=1s", "PROJ-base", "PROJ-theirs")
	s.preview("app", nil, false)
	s.docker("create", "--name", "PROJ-app-web-1", "--network", "none", "--label", "com.docker.compose.project=PROJ-app", "--volume", "PROJ-app_data:/data", "PROJ-theirs")
	s.preview("own", map[string]string{"ccdestroy.ttl": "1s"}, false)
	time.Sleep(1100 * time.Millisecond) // the engine's times are to the second
	if r := s.ccdestroy("reap", "--yes", "--match", s.name+"-*"); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	if !s.hasVolume("PROJ-app_data") || s.hasVolume("PROJ-own_data") {
		t.Errorf("%t, %t", s.hasVolume("PROJ-app_data"), s.hasVolume("PROJ-own_data"))
	}
	s.docker("rm", "PROJ-app-web-1", "PROJ-base")
}

// A project that is renewed while its lock is waited for stays.
func TestReapWaits(t *testing.T) {
	t.Parallel()
	s := newStack(t, nil)
	s.preview("review", nil, false)
	time.Sleep(2100 * time.Millisecond) // the age of the volume, which the engine tells to the second
	person := s.terminal("-p", s.name+"-review")
	person.waitText(question)
	reap := s.start(s.command("", binary, "reap", "--match", s.name+"-review", "--older-than", "1s"))
	reap.waitText("waiting: project " + s.name + "-review" + waiting)
	s.docker("volume", "rm", "PROJ-review_data")
	s.preview("review", map[string]string{"ccdestroy.ttl": "4w"}, false)
	person.send("\r")
	person.wait()
	if code := reap.wait(); code != 0 || !s.hasVolume("PROJ-review_data") || !strings.Contains(reap.stderr(), "renewed meanwhile") {
		t.Errorf("exit %d\n%s", code, reap.stderr())
	}
	if last := s.last(); last.Outcome != "failed" || len(last.DataAffected) > 0 {
		t.Errorf("%+v", last)
	}
}
