package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// binary is the program under test: CCDESTROY_BINARY, so that these tests can be
// held against another version, or else what TestMain builds.
var binary = os.Getenv("CCDESTROY_BINARY")

// telling is what go test -short runs where nothing is named: what takes seconds
// and shows most.
const telling = "^Test(Asking|ExportBeforeTeardown|ExportDisturbed|History|KilledAndReconciled|NoRecordNoDestruction" +
	"|Protected|Provider|RestoreRefuses|RunOnEngine|SignalWithoutTerminal|UsageErrors)$|^TestDifferential$/(labels_mode|stranger)"

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() && flag.Lookup("test.run").Value.String() == "" {
		_ = flag.Set("test.run", telling)
	}
	if os.Getenv("CCDESTROY_LAB") == "" {
		fmt.Fprintln(os.Stderr, "e2e: SKIPPED, no engine was provided; make test runs these")
		if os.Getenv("CI") != "" && os.Getenv("CCDESTROY_UNIT") == "" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "ccdestroy-e2e-*")
	if err != nil {
		panic(err)
	}
	if binary == "" {
		binary = filepath.Join(dir, "ccdestroy")
		build := exec.Command("go", "build", "-o", binary, "../../cmd/ccdestroy")
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // it runs in an empty image too
		if out, err := build.CombinedOutput(); err != nil {
			panic(string(out))
		}
	}
	if throughDocker {
		if err := letDockerRun(filepath.Join(dir, "config")); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// throughDocker says that all teardowns of these tests are to be run by the docker
// command, and not by the plugin without it.
var throughDocker = os.Getenv("CCDESTROY_THROUGH") == "docker"

// letDockerRun makes a configuration with a setting that docker alone follows, and
// otherwise what the present one has.
func letDockerRun(dir string) error {
	from := os.Getenv("DOCKER_CONFIG")
	if from == "" {
		from = filepath.Join(os.Getenv("HOME"), ".docker")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	entries, _ := os.ReadDir(from) // none is fine
	for _, e := range entries {
		if e.Name() != "config.json" {
			if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	setting := []byte(`{"aliases":{"builder":"buildx"}}`)
	return errors.Join(os.WriteFile(filepath.Join(dir, "config.json"), setting, 0o600), os.Setenv("DOCKER_CONFIG", dir))
}

// patience bounds every wait in these tests; no test asserts how long anything
// took.
const patience = 120 * time.Second

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !soon(patience, ok) {
		t.Fatalf("waited %s for %s", patience, what)
	}
}

// soon reports whether something became so in time.
func soon(limit time.Duration, ok func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); waitABit() {
		if ok() {
			return true
		}
	}
	return false
}

// waitABit is between two looks at something that nobody tells of.
func waitABit() { time.Sleep(20 * time.Millisecond) }
