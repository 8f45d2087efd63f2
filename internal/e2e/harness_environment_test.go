package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

func withoutVariables(env []string, names ...string) []string {
	var out []string
next:
	for _, v := range env {
		for _, n := range names {
			if strings.HasPrefix(v, n+"=") {
				continue next
			}
		}
		out = append(out, v)
	}
	return out
}

func pathOf(env []string) string {
	for _, v := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			return value
		}
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

// plugin is the path of the Compose plugin that docker finds.
func (s *stack) plugin() string {
	s.t.Helper()
	return s.docker("info", "--format", `{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}`)
}

// plugged gives the stack a configuration of the Docker CLI with our plugin in
// it, installed by the Makefile, and without DOCKER_HOST.
func (s *stack) plugged() (host string) {
	s.t.Helper()
	dir := s.t.TempDir()
	need.Run(s.t, "mkdir", filepath.Join(dir, "cli-plugins"))
	need.Run(s.t, "cp", binary, filepath.Join(dir, "cli-plugins", "docker-ccdestroy"))
	config := os.Getenv("DOCKER_CONFIG")
	if config == "" {
		config = filepath.Join(os.Getenv("HOME"), ".docker")
	}
	if own := filepath.Join(config, "cli-plugins", "docker-compose"); exists(own) {
		need.Run(s.t, "ln", "-s", own, filepath.Join(dir, "cli-plugins", "docker-compose"))
	}
	s.env = append(withoutVariables(s.env, "DOCKER_HOST", "DOCKER_CONFIG"), "DOCKER_CONFIG="+dir)
	s.verified()
	return s.host
}

// wrapped puts a docker command before the real one that first runs a script,
// with the pid of ccdestroy in $PPID, once the pending event is durable.
func (s *stack) wrapped(script string) {
	s.t.Helper()
	real, err := exec.LookPath("docker")
	if err != nil {
		s.t.Fatal(err)
	}
	bin := s.t.TempDir()
	text := fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *' down '*) %s ;; esac\nexec %s \"$@\"\n", script, real)
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.env = append(s.env, "PATH="+bin+":"+pathOf(s.env))
}

// withProvider is a stack whose Compose finds ccdestroy on the PATH.
func withProvider(t *testing.T, file string) *stack {
	t.Helper()
	s := newStack(t, one(file))
	s.env = append(withoutVariables(s.env, "PATH"), "PATH="+filepath.Dir(binary)+":"+pathOf(s.env))
	return s
}
