package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// binary is the program under test, built by TestMain.
var binary string

func TestMain(m *testing.M) {
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
	binary = filepath.Join(dir, "ccdestroy")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/ccdestroy").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// patience bounds every wait in these tests; no test asserts how long anything
// took.
const patience = 60 * time.Second

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
