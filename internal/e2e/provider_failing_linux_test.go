package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a provider holds is in no inventory. When Compose could not call one, or it
// answered an error, the teardown is no success, however much of the engine went.
func TestProviderFails(t *testing.T) {
	t.Parallel()
	const db = "name: PROJ\nservices:\n  db:\n    image: IMAGE\n    volumes: [data:/data]\n"
	const alone = "name: PROJ\nservices:\n  db:\n    image: IMAGE\n    network_mode: none\n"
	const cloud = "  cloud:\n    provider: {type: e2ecloud}\n"
	const volumes = "volumes:\n  data:\n"
	const refuses = `echo '{"type":"error","message":"quota exceeded"}'; exit 3`
	for _, c := range []struct {
		name         string
		before, file string
		down         string // what the provider does
		outcome      string
		code         int
		said         string
	}{
		{"its command is missing", db + volumes, db + cloud + volumes, "", "partial", 3, "executable file not found"},
		{"it answers an error", db + volumes, db + cloud + volumes, refuses, "partial", 3, "quota exceeded"},
		{"all of the engine has gone", alone, alone + cloud, `while docker container inspect PROJ-db-1 > /dev/null 2>&1; do sleep 0.05; done; ` + refuses, "partial", 3, "quota exceeded"},
		{"nothing goes", alone, alone + cloud + "    depends_on: [db]\n", refuses, "failed", 1, "quota exceeded"},
		{"there is nothing but it", alone, "name: PROJ\nservices:\n" + cloud, refuses, "failed", 1, "quota exceeded"},
		{"it succeeds", db + volumes, db + cloud + volumes, `echo '{"type":"info","message":"done"}'`, "success", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(c.before))
			s.provider(c.down)
			s.docker("compose", "up", "--detach")
			s.write("compose.yaml", c.file)
			r := s.ccdestroy("--yes")
			all := s.accounts(s.logPath())
			last := all[len(all)-1]
			if r.code != c.code || last.Outcome != c.outcome || !slices.Equal(last.Details.Providers, []string{"cloud"}) {
				t.Errorf("exit %d, %s, providers %q; want %d, %s\n%s", r.code, last.Outcome, last.Details.Providers, c.code, c.outcome, r.stderr)
			}
			const doubt = "provider of service cloud: Compose failed, and what it holds cannot be seen"
			if in := slices.Contains(last.Details.Remaining, doubt); in != (c.code != 0) || in != strings.Contains(r.stderr, doubt) {
				t.Errorf("remaining: %q\n%s", last.Details.Remaining, r.stderr)
			}
			if !strings.Contains(last.Details.Stderr, c.said) || (last.Details.ExitCode == nil || *last.Details.ExitCode == 0) != (c.code == 0) {
				t.Errorf("Compose's exit code %v, and it said %q", last.Details.ExitCode, last.Details.Stderr)
			}
		})
	}
}

// provider puts the provider e2ecloud on the PATH, beside ccdestroy, unless it
// does nothing.
func (s *stack) provider(down string) {
	s.t.Helper()
	s.env = append(s.env, "PATH="+filepath.Join(s.dir, "bin")+":"+filepath.Dir(binary)+":"+pathOf(s.env))
	if down == "" {
		return
	}
	s.write("bin/e2ecloud", "#!/bin/sh\ncase \" $* \" in *' down '*) "+down+" ;; *) echo '{\"type\":\"info\",\"message\":\"ok\"}' ;; esac\n")
	if err := os.Chmod(filepath.Join(s.dir, "bin", "e2ecloud"), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// Beside a plain docker compose down nobody sees how Compose ended: another
// provider is in doubt, unless the engine shows that Compose got past it.
func TestProviderFailsBeside(t *testing.T) {
	t.Parallel()
	const file = "name: PROJ\nservices:\n  db:\n    image: IMAGE\n    network_mode: none\n  cloud:\n    provider: {type: e2ecloud}\n  audit:\n    provider: {type: ccdestroy}\n    depends_on: [db, cloud]\n"
	for _, c := range []struct {
		name, file, down, outcome string
		code                      int
	}{
		{"it answers an error", file, `while docker container inspect PROJ-db-1 > /dev/null 2>&1; do sleep 0.05; done; echo '{"type":"error","message":"quota exceeded"}'; exit 3`, "partial", 1},
		{"it succeeds, and a network shows it", strings.Replace(file, "    network_mode: none\n", "", 1), `echo '{"type":"info","message":"done"}'`, "success", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(c.file))
			s.provider(c.down)
			s.docker("compose", "up", "--detach")
			if r := s.compose("down"); r.code != c.code {
				t.Errorf("docker compose down: exit %d, want %d\n%s", r.code, c.code, r.stderr)
			}
			s.ended()
			all := s.accounts(s.logPath())
			last := all[len(all)-1]
			const doubt = "provider of service cloud: nobody saw how Compose ended, and what it holds cannot be seen"
			if last.Outcome != c.outcome || last.Details.Settled != "provider" || slices.Contains(last.Details.Remaining, doubt) != (c.outcome != "success") {
				t.Errorf("%+v", last)
			}
		})
	}
}
