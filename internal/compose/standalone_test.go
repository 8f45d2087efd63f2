package compose

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"sync"
	"testing"

	"github.com/contextcore/ccdestroy/internal/fault"
)

// onPath is a Compose whose PATH has these scripts alone.
func onPath(t *testing.T, scripts map[string]string) *Compose {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the commands are scripts of the shell")
	}
	dir := t.TempDir()
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	return &Compose{Args: Args{Context: "compose", Files: []string{"compose"}, Volumes: true}, Dir: dir, Env: os.Environ(), Stdout: out, Stderr: out}
}

const (
	answersTwo = `case "$*" in "version --format json") echo '{"version":"2.40.3"}' ;; *) echo "alone: $*" ;; esac` + "\n"
	answersOne = `echo "docker-compose version 1.29.2, build unknown"` + "\n"
)

// Where there is no docker command, docker-compose tears down: with the same
// arguments, but that it is not told that it is Compose.
func TestStandalone(t *testing.T) {
	c := onPath(t, map[string]string{standalone: answersTwo})
	if version, err := c.Version(t.Context()); version != "2.40.3" || err != nil {
		t.Fatalf("%q, %v", version, err)
	}
	if exit, err := c.Down(nil, nil); err != nil || exit.Code != 0 {
		t.Fatalf("%+v, %v", exit, err)
	}
	if out, _ := os.ReadFile(c.Stdout.Name()); string(out) != "alone: --context compose --file compose down --volumes\n" {
		t.Errorf("%s", out)
	}
	want := []string{"docker-compose", "--context", "compose", "--file", "compose", "down", "--volumes"}
	if got := c.Command(); !reflect.DeepEqual(got, want) || c.Executed() != "" {
		t.Errorf("%q, executed %q", got, c.Executed())
	}
}

// The program is asked for its version and for the project at once.
func TestVersionBesideModel(t *testing.T) {
	c := onPath(t, map[string]string{standalone: `case "$*" in *config*) echo '{"name":"shop"}' ;; *) ` + answersTwo + " esac\n"})
	if err := os.WriteFile(filepath.Join(c.Dir, "compose"), []byte("a syntax of later: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var version string
	var unanswered error
	var asking sync.WaitGroup
	asking.Go(func() { version, unanswered = c.Version(t.Context()) })
	m, err := c.Model(t.Context())
	asking.Wait()
	if version != "2.40.3" || unanswered != nil || m.Project != "shop" || err != nil {
		t.Errorf("%q, %v; %+v, %v", version, unanswered, m, err)
	}
}

// A docker command goes first, version 1 is none, and without either both are
// named.
func TestNotStandalone(t *testing.T) {
	for want, scripts := range map[string]map[string]string{
		"the docker command has no compose plugin":                  {"docker": "echo 'unknown flag: --format' >&2; exit 125\n", standalone: answersTwo},
		"docker-compose does not answer as version 2 or later does": {standalone: answersOne},
		"neither docker nor docker-compose was found in PATH":       {},
	} {
		_, err := onPath(t, scripts).Version(context.Background())
		var f *fault.Fault
		if !errors.As(err, &f) || f.Error() != want || f.Try == "" {
			t.Errorf("%v, wanted %q", err, want)
		}
	}
}
