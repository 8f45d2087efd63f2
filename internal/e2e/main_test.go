package e2e

import (
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
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// patience bounds every wait in these tests; no test asserts how long anything
// took.
const patience = 120 * time.Second

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited %s for %s", patience, what)
}

// waitABit is between two looks at something that nobody tells of.
func waitABit() { time.Sleep(20 * time.Millisecond) }
