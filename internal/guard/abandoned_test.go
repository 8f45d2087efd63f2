package guard

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A socket that a killed plugin left is found; one that is served is not, nor what is
// no socket.
func TestAbandoned(t *testing.T) {
	dir, err := os.MkdirTemp("", "g") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	served, err := net.Listen("unix", filepath.Join(dir, "served.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close()
	killed := filepath.Join(dir, "killed.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: killed, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false) // as one that is killed leaves it
	l.Close()
	for _, name := range []string{"note.txt", "note.sock"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := Abandoned(dir); !slices.Equal(got, []string{killed}) {
		t.Errorf("%q", got)
	}
	if got := Abandoned(filepath.Join(dir, "none")); len(got) > 0 {
		t.Errorf("%q", got)
	}
}
