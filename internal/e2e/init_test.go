package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Init adds the service to a file and keeps everything else in it.
func TestInit(t *testing.T) {
	t.Parallel()
	file := "# the shop\nname: PROJ\n\nservices: # two\n  db:   # the base\n    image: IMAGE\n    volumes: [data:/data]\n\n  off:\n    image: IMAGE\n    profiles: [debug]\nvolumes:\n  data: {}   # all of it\n"
	s := withProvider(t, file)
	path := filepath.Join(s.dir, "compose.yaml")
	p := s.terminal("init")
	p.waitText("Type yes to write this, or Enter to cancel: ")
	p.send("\n")
	if code := p.wait(); code != 4 {
		t.Errorf("declined: exit %d", code)
	}
	if data, _ := os.ReadFile(path); string(data) != s.expand(file) {
		t.Errorf("changed all the same:\n%s", data)
	}
	if r := s.ccdestroy("init", "--require", "export"); r.code != 0 || !strings.Contains(r.stderr, "+  audit:") {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	data, _ := os.ReadFile(path)
	rest := ""
	for line := range strings.Lines(string(data)) {
		if strings.Contains(s.expand(file), line) {
			rest += line
		}
	}
	if !strings.Contains(string(data), "require: export") || !strings.Contains(string(data), "- db\n") || strings.Contains(string(data), "- off") || strings.ReplaceAll(rest, "\n\n", "\n") != strings.ReplaceAll(s.expand(file), "\n\n", "\n") {
		t.Errorf("the file is now\n%s", data)
	}
	if r := s.ccdestroy("init"); r.code != 0 || !strings.Contains(r.stderr, "has the service already") {
		t.Errorf("again: exit %d\n%s", r.code, r.stderr)
	}
	without := strings.Replace(string(data), "require: export", "lock-timeout: 1m", 1)
	s.write("without.yaml", without)
	if r := s.ccdestroy("init", "-f", "without.yaml", "--require", "export"); r.code != 1 || !strings.Contains(r.stderr, "the service audit is there already, without options: {require: export}") || read(t, filepath.Join(s.dir, "without.yaml")) != without {
		t.Errorf("there without the option: exit %d\n%s", r.code, r.stderr)
	}
	if r := s.ccdestroy("init", "--require", "export"); r.code != 0 || !strings.Contains(r.stderr, "has the service already") {
		t.Errorf("there with the option: exit %d\n%s", r.code, r.stderr)
	}
	s.docker("compose", "up", "--detach")
	if r := s.compose("down", "-v"); r.code == 0 || !strings.Contains(r.stderr, "no export of volume") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	for name, text := range map[string]string{"flow": "services: {web: {image: x}}\n", "none": "name: x\n", "taken": "services:\n  audit:\n    image: x\n", "no YAML": "services: [\n"} {
		s.write("bad.yaml", text)
		if r := s.ccdestroy("init", "-f", "bad.yaml"); r.code != 1 || !strings.Contains(r.stderr, "bad.yaml") || !strings.Contains(r.stderr, "\nTry: ") {
			t.Errorf("%s: exit %d\n%s", name, r.code, r.stderr)
		}
		if data, _ := os.ReadFile(filepath.Join(s.dir, "bad.yaml")); string(data) != text {
			t.Errorf("%s: changed", name)
		}
	}
}
