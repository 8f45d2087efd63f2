// Package need skips tests that cannot run here, loudly. Where CI is set,
// everything has to run, and what cannot is a failure.
package need

import (
	"os"
	"os/exec"
	"testing"
)

// That skips the test unless what it cannot do without is there. CCDESTROY_UNIT
// says that only those tests are wanted that need nothing.
func That(t testing.TB, what string, there bool) {
	t.Helper()
	switch {
	case there:
	case os.Getenv("CI") != "" && os.Getenv("CCDESTROY_UNIT") == "":
		t.Fatalf("this test needs %s, and CI must run all of them", what)
	default:
		t.Skipf("SKIPPED: this test needs %s", what)
	}
}

// Root needs the superuser.
func Root(t testing.TB) {
	t.Helper()
	That(t, "root", os.Getuid() == 0)
}

// Command needs commands on the PATH.
func Command(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		_, err := exec.LookPath(name)
		That(t, name, err == nil)
	}
}

// Run runs a command of a test's own set-up.
func Run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}
