package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// The action brings a stack up, and its post step tears it down, audited, with the
// settings that main was given.
func TestActionAfterTheJob(t *testing.T) {
	t.Parallel()
	r := newRunner(t, map[string]string{"deploy/ci.yaml": single})
	with := map[string]string{"path": binary, "up": "true", "working-directory": "deploy", "project-args": "-f 'ci.yaml'", "up-args": "--wait-timeout 60",
		"down-args": `--rmi local`, "copy-log-to": "kept"}
	if got := r.main(with); got.code != 0 || len(r.running()) != 1 {
		t.Fatalf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if path := r.text("GITHUB_PATH"); path != filepath.Dir(binary)+"\n" {
		t.Errorf("PATH gets %q", path)
	}
	if out := r.pairs("GITHUB_OUTPUT"); out["ccdestroy"] != binary {
		t.Errorf("%q", out)
	}
	got := r.post()
	if got.code != 0 || len(r.running()) != 0 {
		t.Fatalf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	log := filepath.Join(r.dir, "deploy/.contextcore/audit.jsonl")
	last := eventsIn(t, log)[1]
	if text := read(t, log); last.Outcome != "success" || !strings.Contains(text, "run 7, attempt 2") || !strings.Contains(text, "https://github.com/shop/shop/actions/runs/7") {
		t.Errorf("%+v", last)
	}
	summary, head := r.text("GITHUB_STEP_SUMMARY"), read(t, filepath.Join(r.dir, "kept/head"))
	if !strings.Contains(summary, "### Destroyed "+strings.ReplaceAll(r.name, "-", "&#45;")) || !strings.Contains(summary, "intact. Its head: `"+strings.TrimSpace(head)+"`") {
		t.Errorf("%s\n%s", summary, head)
	}
	if read(t, filepath.Join(r.dir, "kept/audit.jsonl")) != read(t, log) {
		t.Error("the copy of the log differs")
	}
}

// What an up that failed, or a job that was cancelled in it, leaves behind goes too;
// what is left to nobody does not.
func TestActionAfterFailureAndCancellation(t *testing.T) {
	t.Parallel()
	bad := strings.Replace(single, "    volumes: [data:/data]\n", "    volumes: [data:/data]\n    healthcheck: {test: [CMD, \"false\"], interval: 1s, retries: 1}\n", 1)
	r := newRunner(t, map[string]string{"compose.yaml": bad})
	if got := r.main(map[string]string{"path": binary, "up": "true"}); got.code == 0 || !strings.Contains(got.stdout, "::error title=ccdestroy::docker compose up ended with exit code") {
		t.Errorf("exit %d\n%s", got.code, got.stdout)
	}
	if got := r.post(); got.code != 0 || len(r.running()) != 0 || r.last().Outcome != "success" {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}

	slow := strings.Replace(single, "    volumes: [data:/data]\n", "    volumes: [data:/data]\n    healthcheck: {test: [CMD, \"false\"], interval: 600s, start_period: 600s}\n", 1)
	r = newRunner(t, map[string]string{"compose.yaml": slow})
	main := r.step(r.action.Runs.Main, map[string]string{"path": binary, "up": "true"})
	if err := main.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(2 * time.Minute); len(r.running()) != 1; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the container never ran")
		}
	}
	if err := main.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := main.Wait(); err == nil {
		t.Error("a cancelled step ended well")
	}
	if got := r.post(); got.code != 0 || len(r.running()) != 0 || r.last().Outcome != "success" {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}

	r = newRunner(t, map[string]string{"compose.yaml": single})
	for _, with := range []map[string]string{{"teardown": "later"}, {"path": "/nowhere"}, {"path": binary, "up": "yes"}, {"path": binary, "project-args": "-f 'open"}} {
		if got := r.main(with); got.code != 1 || !strings.Contains(got.stdout, "::error title=ccdestroy::") {
			t.Errorf("%v: exit %d\n%s", with, got.code, got.stdout)
		}
	}
	r.docker("compose", "up", "--detach")
	if got := r.post(); got.code != 0 || len(r.running()) != 1 {
		t.Errorf("it tore down what main had not been asked for: exit %d\n%s", got.code, got.stdout)
	}
}

// With teardown: now the step itself ends as the teardown does, and what a later
// step needs is in its outputs. A store is passed on.
func TestActionNow(t *testing.T) {
	t.Parallel()
	r := newRunner(t, map[string]string{"compose.yaml": single})
	r.docker("compose", "up", "--detach")
	held := r.name + "-holder"
	r.docker("run", "--detach", "--name", held, "--volume", "PROJ_data:/x", "IMAGE")
	got := r.main(map[string]string{"path": binary, "teardown": "now", "log": "log/audit.jsonl", "reason": "a reason of mine"})
	out := r.pairs("GITHUB_OUTPUT")
	if got.code != 3 || out["exit-code"] != "3" || out["log"] != filepath.Join(r.dir, "log/audit.jsonl") || !strings.Contains(got.stderr, "::warning title=Partly destroyed") {
		t.Errorf("exit %d %q\n%s%s", got.code, out, got.stdout, got.stderr)
	}
	last := eventsIn(t, out["log"])[1]
	if last.Outcome != "partial" || !strings.Contains(read(t, out["log"]), "a reason of mine") || !strings.Contains(out["head"], ":2:") {
		t.Errorf("%+v %q", last, out)
	}
	if got := r.post(); got.code != 0 || !strings.Contains(got.stdout, "Nothing was left") {
		t.Errorf("exit %d\n%s", got.code, got.stdout)
	}
	r.docker("rm", "--force", held)

	// What the executable is given, shown by one that only says so.
	r = newRunner(t, map[string]string{"show": "#!/bin/sh\nprintf '%s|' \"$CCDESTROY_STORE\" \"$@\" >> \"$GITHUB_STEP_SUMMARY.given\"\n"})
	need.Run(t, "chmod", "+x", filepath.Join(r.dir, "show"))
	if got := r.main(map[string]string{"path": "show", "teardown": "now", "store": "s3://audit/ci", "project-args": `-p "my shop" -f a\ b.yaml`, "down-args": "--no-volumes", "reason": "x"}); got.code != 0 {
		t.Errorf("exit %d\n%s", got.code, got.stdout)
	}
	if given := r.text("GITHUB_STEP_SUMMARY.given"); !strings.HasPrefix(given, "s3://audit/ci|-p|my shop|-f|a b.yaml|down|--no-volumes|--reason|x|") {
		t.Errorf("given: %q", given)
	}
}

// A release is downloaded where none is on the PATH, and used only when it is what
// its checksums say.
func TestActionDownload(t *testing.T) {
	t.Parallel()
	r := newRunner(t, nil)
	archive := fmt.Sprintf("ccdestroy_1.2.3_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	served := t.TempDir()
	need.Run(t, "mkdir", filepath.Join(served, "v1.2.3"), filepath.Join(served, "v1.2.4"))
	need.Run(t, "tar", "-czf", filepath.Join(served, "v1.2.3", archive), "-C", filepath.Dir(binary), filepath.Base(binary))
	sum := sha256.Sum256([]byte(read(t, filepath.Join(served, "v1.2.3", archive))))
	wrong := strings.Replace(archive, "1.2.3", "1.2.4", 1)
	for path, text := range map[string]string{"v1.2.3/SHA256SUMS": fmt.Sprintf("%x  %s\n", sum, archive), "v1.2.4/SHA256SUMS": fmt.Sprintf("%x  %s\n", sum, wrong), "v1.2.4/" + wrong: "something else"} {
		if err := os.WriteFile(filepath.Join(served, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.FileServer(http.Dir(served)))
	defer server.Close()
	for version, problem := range map[string]string{"v1.2.3": "", "v1.2.4": "is not what SHA256SUMS says", "v1.2.5": "404", "main": "set the input version"} {
		got := r.main(map[string]string{"teardown": "never", "version": version, "download-from": server.URL + "/"})
		if problem != "" {
			if got.code != 1 || !strings.Contains(got.stdout, problem) {
				t.Errorf("%s: exit %d\n%s", version, got.code, got.stdout)
			}
			continue
		}
		path := r.pairs("GITHUB_OUTPUT")["ccdestroy"]
		out, err := exec.Command(path, "version", "--format", "json").Output()
		if got.code != 0 || err != nil || !json.Valid(out) {
			t.Errorf("%s: exit %d, %q: %v\n%s%s", version, got.code, path, err, got.stdout, got.stderr)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
