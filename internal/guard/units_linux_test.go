package guard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The unit of the guard has every flag, as systemd reads it, and a guard that runs
// already gets them too.
func TestUnits(t *testing.T) {
	dir := t.TempDir()
	called := filepath.Join(dir, "called")
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte("#!/bin/sh\necho \"$@\" >> "+called+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	s := Setup{
		Socket: "/run/50%/ccdestroy.sock", Units: filepath.Join(dir, "units"),
		Flags: []string{"--host", "unix:///run/other engine/docker.sock", "--log", "/var/log/100% \"$HOME\" 'x' \\n\n;/audit.jsonl", "--log-group", "4800"},
	}
	if err := os.Mkdir(s.Units, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		socketUnit: "ListenStream=/run/50%%/ccdestroy.sock\n",
		serviceUnit: `ExecStart="` + self + `" "guard" "--socket" "/run/50%%/ccdestroy.sock" "--host" "unix:///run/other engine/docker.sock" ` +
			`"--log" "/var/log/100%% \"$$HOME\" 'x' \\n\n;/audit.jsonl" "--log-group" "4800"` + "\n",
	} {
		if text, err := os.ReadFile(filepath.Join(s.Units, name)); err != nil || !strings.Contains(string(text), "\n"+want) {
			t.Errorf("%v\n%s", err, text)
		}
	}
	const want = "daemon-reload\nenable --now ccdestroy-guard.socket\ntry-restart ccdestroy-guard.service\n"
	if text, err := os.ReadFile(called); err != nil || string(text) != want {
		t.Errorf("%v\n%s", err, text)
	}
}
