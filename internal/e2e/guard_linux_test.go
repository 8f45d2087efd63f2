package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Whoever destroys a volume, and however: there is one pending event before and one
// outcome after, which says what the engine shows.
func TestGuard(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, one(shop))
	one := func(volume, operation, outcome string) guardEvent {
		t.Helper()
		all := g.told(volume)
		if len(all) != 1 || all[0].Operation != operation || all[0].Outcome != outcome || all[0].Details.RecordedBy != "guard" {
			t.Errorf("%s: %+v", volume, all)
			return guardEvent{}
		}
		return all[0]
	}
	g.volumes("PROJ_a", "PROJ_b", "PROJ_used")
	g.docker("volume", "rm", "PROJ_a")
	if e := one("PROJ_a", "destroy", "success"); len(e.DataAffected) != 1 || e.User != "unknown" || e.Details.Request.Method != "DELETE" || !strings.Contains(e.Details.Request.Agent, "Docker-Client") {
		t.Errorf("%+v", e)
	}

	// The engine refuses: nothing went, and the record says so.
	g.docker("create", "--name", "PROJ-holder", "--volume", "PROJ_used:/data", "IMAGE")
	if out, err := g.command("", "docker", "volume", "rm", g.expand("PROJ_used")).CombinedOutput(); err == nil || !strings.Contains(string(out), "in use") {
		t.Errorf("%v\n%s", err, out)
	}
	if e := one("PROJ_used", "destroy", "failed"); len(e.DataAffected) != 0 || len(e.Details.Remaining) != 1 {
		t.Errorf("%+v", e)
	}

	// What is not there is no deletion, and reads are none.
	before := len(g.recorded())
	_ = g.command("", "docker", "volume", "rm", g.expand("PROJ_none")).Run()
	_ = g.command("", "docker", "volume", "rm", "--force", g.expand("PROJ_none")).Run()
	g.docker("volume", "ls")
	g.docker("system", "df", "-v")
	if n := len(g.recorded()) - before; n != 0 {
		t.Errorf("%d events of nothing", n)
	}

	// Anonymous volumes that go with a container.
	g.docker("create", "--name", "PROJ-anon", "--volume", "/data", "--volume", "PROJ_b:/named", "IMAGE")
	anonymous := g.docker("inspect", "--format", `{{range .Mounts}}{{if eq .Destination "/data"}}{{.Name}}{{end}}{{end}}`, "PROJ-anon")
	g.docker("rm", "--volumes", "PROJ-anon")
	if e := one(anonymous, "destroy", "success"); len(e.DataAffected) != 1 || g.hasVolume(anonymous) || !g.hasVolume("PROJ_b") {
		t.Errorf("%+v", e)
	}
	g.docker("create", "--name", "PROJ-plain", "--volume", "/data", "IMAGE")
	before = len(g.recorded())
	g.docker("rm", "PROJ-plain")
	if n := len(g.recorded()) - before; n != 0 {
		t.Errorf("%d events of a container without its volumes", n)
	}

	// A whole project by a plain docker compose down -v.
	g.docker("compose", "up", "--detach")
	g.docker("compose", "down", "--volumes")
	for _, name := range []string{"PROJ_data", "PROJ_uploads"} {
		if e := one(name, "destroy", "success"); e.Details.Project != g.name {
			t.Errorf("%+v", e)
		}
	}

	// A prune is one call.
	g.volumes("PROJ_p1", "PROJ_p2")
	g.docker("volume", "prune", "--force")
	_, _ = g.raw("POST", "/v1.41/volumes/prune", false) // on newer engines the docker command passes over volumes with a name
	if g.hasVolume("PROJ_p1") {
		t.Error("a prune took nothing")
	}
	if e := one("PROJ_p1", "prune", "success"); g.told("PROJ_p2")[0].ID != e.ID || !g.hasVolume("PROJ_used") {
		t.Errorf("%+v", e)
	}

	pending := map[string]int{}
	for _, e := range g.recorded() {
		if pending[e.ID]++; e.Outcome == "pending" {
			pending[e.ID] += 10
		}
	}
	for id, n := range pending {
		if n != 12 {
			t.Errorf("%s: %d", id, n)
		}
	}
}

// However a call is spelled, nothing that the engine does with it goes unrecorded:
// each spelling is tried on a volume of its own, and either the volume stays or
// there is a record.
func TestGuardSpellings(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, nil)
	spellings := []string{
		"DELETE /volumes/NAME", "DELETE /v1.41/volumes/NAME", "DELETE /v1.41/volumes/NAME?force=1", "DELETE /v1.24/volumes/NAME",
		"DELETE /v1.41/volumes/NAME/", "DELETE //v1.41//volumes//NAME", "DELETE /v1.41/volumes//NAME", "DELETE /v1.41/x/../volumes/NAME", "DELETE /v1.41/./volumes/./NAME",
		"DELETE /v1.41/volumes/x/../NAME", "DELETE /%76olumes/NAME", "DELETE /v1%2E41/volumes/NAME", "DELETE /v1.41%2Fvolumes%2FNAME", "DELETE /v1.41/volumes%2fNAME",
		"DELETE /v1.41/volumes/%2e/NAME", "DELETE /v1.41/volumes/%2FNAME", "DELETE /v1.41/volumes/ENCODED",
		"DELETE http://docker/v1.41/volumes/NAME", "DELETE http://docker/volumes/NAME?force=true", "DELETE http:/v1.41/volumes/NAME",
		"delete /v1.41/volumes/NAME", "Delete /volumes/NAME", "HEAD /v1.41/volumes/NAME", "GET /v1.41/volumes/NAME", "POST /v1.41/volumes/NAME", "PUT /volumes/NAME",
		"DELETE /v1.41/volumes/NAME?", "DELETE /v1.41/volumes/NAME?x=1;y=2", "DELETE /v1.41/volumes/NAME?force=%zz", "DELETE /v1.41/volumes/NAME#x", "DELETE /V1.41/volumes/NAME", "DELETE /v1.41/Volumes/NAME",
		"DELETE /v9.99/volumes/NAME", "DELETE /v1/volumes/NAME", "DELETE /v1.41/v1.41/volumes/NAME", "DELETE /v/volumes/NAME", "DELETE /v1.41/volumes/NAME%00", "DELETE /v1.41/volumes/NAME%20", "DELETE \\v1.41\\volumes\\NAME",
	}
	encoded := func(text string) string {
		var b strings.Builder
		for i := range len(text) {
			fmt.Fprintf(&b, "%%%02x", text[i])
		}
		return b.String()
	}
	gone := 0
	try := func(i int, line string, chunked bool) {
		t.Helper()
		name := fmt.Sprintf("%s_s%d_%t", g.name, i, chunked)
		g.createVolume(name, nil)
		method, target, _ := strings.Cut(line, " ")
		target = strings.NewReplacer("NAME", name, "ENCODED", encoded(name)).Replace(target)
		status, _ := g.raw(method, target, chunked)
		told := g.told(name)
		switch lost := !g.hasVolume(name); {
		case lost && (len(told) != 1 || told[0].Outcome != "success"):
			t.Errorf("%s (%d): the volume is gone, and %+v", line, status, told)
		case !lost && len(told) > 0 && told[0].Outcome == "success":
			t.Errorf("%s (%d): the volume is there, and %+v", line, status, told)
		case lost:
			gone++
		}
	}
	for i, line := range spellings {
		try(i, line, false)
		try(i, line, true)
	}
	if gone < 20 {
		t.Errorf("only %d spellings had the engine destroy anything", gone)
	}
	t.Logf("%d of %d calls destroyed a volume", gone, 2*len(spellings))
	// The same of containers, and of a prune.
	for i, query := range []string{"v=1", "v=true", "v=True", "v=on", "v=+1", "v=%31", "force=1&v=1", "v=1&v=0", "v=0&v=1", "v", "v=", "V=1", "v=1;x=2", "link=0&v=yes"} {
		container := fmt.Sprintf("%s-c%d", g.name, i)
		g.docker("create", "--name", container, "--volume", "/data", "IMAGE")
		volume := g.docker("inspect", "--format", "{{range .Mounts}}{{.Name}}{{end}}", container)
		id := g.docker("inspect", "--format", "{{.Id}}", container)
		refs := []string{container, id, id[:12], "%2F" + container}
		_, _ = g.raw("DELETE", "/v1.41/containers/"+refs[i%len(refs)]+"?"+query, false)
		if told := g.told(volume); !g.hasVolume(volume) && (len(told) != 1 || told[0].Outcome != "success") {
			t.Errorf("%s: %+v", query, told)
		}
	}
	for i, target := range []string{"/volumes/prune?filters={%22all%22:[%22true%22]}", "/v1.41/volumes/prune", "//v1.41/volumes/prune", "/v1.41/volumes/prune/", "/v1.41/volumes/%70rune"} {
		name := fmt.Sprintf("%s_prune%d", g.name, i)
		g.createVolume(name, nil)
		_, _ = g.raw("POST", target, i%2 == 0)
		if told := g.told(name); !g.hasVolume(name) && (len(told) != 1 || told[0].Outcome != "success" || told[0].Operation != "prune") {
			t.Errorf("%s: %+v", target, told)
		}
	}
}

// What is protected stays, whoever asks, and the client prints why.
func TestGuardRefuses(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, nil, "--protect", "*_pg", "--protect-project", "prod*", "--protect-label", "tier=gold", "--protect-older", "1000h")
	g.createVolume(g.name+"_label", map[string]string{"ccdestroy.protect": "true"})
	g.createVolume(g.name+"_pg", nil)
	g.createVolume(g.name+"_prod", map[string]string{"com.docker.compose.project": "production"})
	g.createVolume(g.name+"_gold", map[string]string{"tier": "gold"})
	for name, why := range map[string]string{"label": "the label ccdestroy.protect=true", "pg": "the pattern *_pg of --protect", "prod": "protect-project prod*", "gold": "protect-label tier=gold"} {
		name = g.name + "_" + name
		out, err := g.command("", "docker", "volume", "rm", name).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "volume "+name+" is protected by "+why) || !g.hasVolume(name) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if told := g.told(name); len(told) != 1 || told[0].Outcome != "failed" || !strings.Contains(told[0].Details.Error, "is protected by") {
			t.Errorf("%s: %+v", name, told)
		}
	}
	// A protected volume among them refuses the whole prune.
	g.createVolume(g.name+"_free", nil)
	if status, body := g.raw("POST", "/v1.41/volumes/prune", false); status != 403 || !strings.Contains(body, "is protected by") || !g.hasVolume("PROJ_free") {
		t.Errorf("%d %s", status, body)
	}
	// A form in the body overrules the filters of the query, and the guard cannot see
	// it, nor, of two headers of its type, the first one.
	for _, more := range []string{"", "Content-Type: application/json\r\n"} {
		if status, body := g.form("/v1.41/volumes/prune?filters=%7B%22label%22:%5B%22none%22%5D%7D", more, "filters=%7B%7D"); status != 403 || !strings.Contains(body, "in its body") || !g.hasVolume("PROJ_free") {
			t.Errorf("%q: %d %s", more, status, body)
		}
	}
	g.docker("volume", "rm", "PROJ_free")
	if told := g.told("PROJ_free"); told[len(told)-1].Outcome != "success" {
		t.Errorf("%+v", told)
	}
}

// A prune that is refused whatever it takes is recorded like any other refusal.
func TestGuardDeniesPrune(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, nil, "--deny-prune")
	g.createVolume(g.name+"_free", nil)
	if status, body := g.raw("POST", "/v1.41/volumes/prune", false); status != 403 || !strings.Contains(body, "deny-prune") || !g.hasVolume("PROJ_free") {
		t.Errorf("%d %s", status, body)
	}
	if all := g.recorded(); len(all) != 1 || all[0].Outcome != "failed" || all[0].Operation != "prune" || !strings.Contains(all[0].Details.Error, "deny-prune") {
		t.Errorf("%+v", all)
	}
}

// With --keep-for what a client destroys by hand can be brought back.
func TestGuardKeeps(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, one(single), "--keep-for", "1h")
	g.docker("compose", "up", "--detach")
	g.docker("compose", "exec", "web", "sh", "-c", "echo hello > /data/word")
	undo := func() {
		t.Helper()
		if r := g.ccdestroy("undo", "--log", g.log); r.code != 0 || !g.hasVolume("PROJ_data") {
			t.Fatalf("exit %d\n%s", r.code, r.stderr)
		}
		if out := g.docker("run", "--rm", "--volume", "PROJ_data:/data", "--network", "none", "IMAGE", "cat", "/data/word"); out != "hello" {
			t.Fatalf("%q", out)
		}
	}
	// In use: the engine refuses, and nothing is moved.
	if err := g.command("", "docker", "volume", "rm", g.expand("PROJ_data")).Run(); err == nil {
		t.Fatal("a volume in use went")
	}
	if out := g.docker("compose", "exec", "web", "cat", "/data/word"); out != "hello" {
		t.Fatalf("%q", out)
	}
	for name, destroy := range map[string]func(){
		"compose":   func() { g.docker("compose", "up", "--detach"); g.docker("compose", "down", "--volumes") },
		"volume rm": func() { g.docker("volume", "rm", "PROJ_data") },
		"prune":     func() { _, _ = g.raw("POST", "/v1.41/volumes/prune", false) },
		"system": func() {
			g.docker("system", "prune", "--force", "--volumes", "--filter", "label!=x")
			_, _ = g.raw("POST", "/v1.41/volumes/prune", false)
		},
	} {
		if name != "compose" {
			_ = g.command("", "docker", "compose", "down").Run()
		}
		destroy()
		if g.hasVolume("PROJ_data") {
			t.Fatalf("%s took nothing", name)
		}
		undo()
	}
	all := g.told("PROJ_data")
	kept := 0
	for _, e := range all {
		kept += len(e.Details.Kept)
	}
	if kept < 4 {
		t.Errorf("%d were kept: %+v", kept, all)
	}
}

// One deletion, one record: what an operation of ours destroys, its own record
// tells alone.
func TestGuardLeavesOurs(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, one(shop))
	// The guard must know the log: it is named, or this account has written it.
	g.end(syscall.SIGTERM)
	g.args = append(g.args, "--other-log", g.logPath())
	g.guard()
	g.docker("compose", "up", "--detach")
	if r := g.ccdestroy("--keep-for", "1h"); r.code != 0 || g.hasVolume("PROJ_data") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	if r := g.ccdestroy("undo"); r.code != 0 || !g.hasVolume("PROJ_data") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	if r := g.ccdestroy("prune", "--all", "--yes"); r.code != 0 || g.hasVolume("PROJ_data") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	if all := g.recorded(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	g.volumes("PROJ_hand")
	g.docker("volume", "rm", "PROJ_hand")
	if all := g.told("PROJ_hand"); len(all) != 1 {
		t.Errorf("%+v", all)
	}
	// The watch beside it has nothing to add: it knows the logs that this account has
	// read.
	if r := g.ccdestroy("audit", "--log", g.log); r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	w := g.watcher()
	remembers := func() bool {
		data, _ := os.ReadFile(w.log + ".watch")
		return strings.Contains(string(data), g.name+"_seen")
	}
	g.volumes("PROJ_seen")
	waitFor(t, "the watch to know it", remembers)
	g.docker("volume", "rm", "PROJ_seen")
	waitFor(t, "the watch to have done with it", func() bool { return !remembers() })
	if all, more := g.told("PROJ_seen"), w.of("PROJ_seen"); len(all) != 1 || len(more) != 0 {
		t.Errorf("%+v; %+v", all, more)
	}
}

// A plain docker compose down of a project with the provider is in the provider's
// record alone.
func TestGuardLeavesProvider(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, one(audited))
	g.env = append(withoutVariables(g.env, "PATH"), "PATH="+filepath.Dir(binary)+":"+pathOf(g.env))
	g.end(syscall.SIGTERM)
	g.args = append(g.args, "--other-log", g.logPath())
	g.guard()
	g.docker("compose", "up", "--detach")
	if r := g.compose("down", "-v"); r.code != 0 || g.hasVolume("PROJ_data") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	waitFor(t, "the finisher", func() bool { all := g.events(); return len(all) > 0 && all[len(all)-1].Outcome != "pending" })
	if e := g.ended(); e.Outcome != "success" || len(g.recorded()) != 0 {
		t.Errorf("%+v; %+v", e, g.recorded())
	}
}

// What the guard has kept for long enough is purged, and that is recorded.
func TestGuardExpires(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, nil, "--keep-for", "1s")
	g.volumes("PROJ_old", "PROJ_stays", "PROJ_new")
	g.docker("volume", "rm", "PROJ_old")
	if all := g.told("PROJ_old"); len(all) != 1 || len(all[0].Details.Kept) != 1 {
		t.Fatalf("%+v", all)
	}
	time.Sleep(2100 * time.Millisecond) // its time is told to the second
	g.docker("volume", "rm", "PROJ_new")
	waitFor(t, "the purge", func() bool {
		for _, e := range g.recorded() {
			if e.Operation == "purge" && e.Outcome == "success" && slices.Contains(e.DataAffected, g.name+"_old") {
				return true
			}
		}
		return false
	})
}
