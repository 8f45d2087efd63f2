//go:build unix

package record

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
)

// adopting is the variable by which this program knows that it is to adopt an
// operation, as a child that inherited its locks.
const adopting = "RECORD_TEST_ADOPT"

func TestMain(m *testing.M) {
	if id := os.Getenv(adopting); id != "" {
		adopt(id)
		return
	}
	os.Exit(m.Run())
}

// adopt says that it is there, waits for the end of its input, and settles.
func adopt(id string) {
	d := deskFor(os.Getenv("RECORD_TEST_LOG"))
	fmt.Println("there")
	_, _ = io.Copy(io.Discard, os.Stdin)
	o, err := d.Adopt(id)
	if err != nil || o == nil || o.project == nil || o.lock.File.Fd() != firstInherited {
		fmt.Println("not adopted:", err)
		return
	}
	if err := d.SettleBeside(context.Background(), o); err != nil {
		fmt.Println("not settled:", err)
	}
	o.Close()
	fmt.Println("settled")
}

// child starts a process that inherits the locks of an operation, and returns when
// it runs. end has it go on, and returns what it says.
func child(t *testing.T, o *Operation, cmd *exec.Cmd) (end func() string) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	durable.Inherit(cmd, o.Held())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return func() string {
		in.Close()
		rest, _ := io.ReadAll(lines)
		_ = cmd.Wait()
		return string(rest)
	}
}

// An operation whose process was killed is not dead while a child that inherited
// its locks lives: nobody settles it, and nobody else changes its project.
func TestChildKeepsItAlive(t *testing.T) {
	d := newDesk(t)
	o := d.pending("shop")
	end := child(t, o, exec.Command("sh", "-c", "echo there; read line"))
	die(o)
	if r := d.reconcile(true); r.Left != 1 || r.Settled != 0 || !AtWork(d.Log, o.ID) {
		t.Errorf("%+v, at work %t", r, AtWork(d.Log, o.ID))
	}
	if err := d.settleDead(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if d.outcome(o.ID) != audit.Pending {
		t.Errorf("it was settled: %s", d.outcome(o.ID))
	}
	other := d.open("shop")
	if _, free, err := other.TryProject("e1", "shop"); free || err != nil {
		t.Errorf("its project is free: %t, %v", free, err)
	}
	other.Close()
	end()
	if r := d.reconcile(false); r.Settled != 1 || d.outcome(o.ID) != audit.Failed {
		t.Errorf("%+v, %s", r, d.outcome(o.ID))
	}
}

// A child that was handed the locks goes on with the operation, and ends it.
func TestAdoptInherited(t *testing.T) {
	d := newDesk(t)
	o := d.pending("shop")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), adopting+"="+o.ID, "RECORD_TEST_LOG="+d.Log.Path)
	end := child(t, o, cmd)
	o.Leave()
	if r := d.reconcile(true); r.Left != 1 {
		t.Errorf("%+v", r)
	}
	if said := end(); said != "settled\n" {
		t.Errorf("the child said %q", said)
	}
	if d.outcome(o.ID) != audit.Failed || slices.Contains(d.files(), o.ID) || len(d.files()) > 0 {
		t.Errorf("%s, left %q", d.outcome(o.ID), d.files())
	}
}
