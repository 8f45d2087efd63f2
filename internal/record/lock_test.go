package record

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// A second operation of a project waits, says for whom, and goes on when the
// first has ended.
func TestSecondWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		first, second := d.pending("shop"), d.open("shop")
		got := make(chan error)
		go func() { got <- second.LockProject(t.Context(), "e1", "Shop") }() // Compose takes no notice of case
		time.Sleep(30 * time.Second)
		if want := "waiting: project Shop is in use by the destroy by ana on lap, since " + noon.Local().Format(time.TimeOnly); d.noted() != want {
			t.Errorf("noted %q, want %q", d.noted(), want)
		}
		select {
		case err := <-got:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
		first.Close()
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		if _, free, err := second.TryProject("e1", "shop"); free || err != nil {
			t.Errorf("free %t, %v", free, err)
		}
		second.Close()
	})
}

// It waits only so long, and for no other engine or project.
func TestLockTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		first := d.pending("shop")
		for _, other := range [][2]string{{"e2", "shop"}, {"e1", "shop2"}, {"e1", ""}} {
			o := d.open(other[1])
			if err := o.LockProject(t.Context(), other[0], other[1]); err != nil || d.noted() != "" {
				t.Errorf("%q: %v; %s", other, err, d.noted())
			}
			o.Close()
		}
		second := d.open("shop")
		err := second.LockProject(t.Context(), "e1", "shop")
		if f := fault.AsFault(err); f.Code != fault.ExitRefused || !strings.Contains(f.Error(), `project "shop" is still in use by the destroy by ana on lap, since`) || !strings.Contains(f.Try, "--lock-timeout") {
			t.Errorf("%+v", f)
		}
		second.Close()
		first.Close()
	})
}

// The one that is named when the time is over is the one that holds the lock
// then; one that has not said who it is yet is "another operation".
func TestLockTimeoutNamesTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		first, second := d.pending("shop"), d.open("shop")
		done := make(chan bool)
		go func() {
			defer close(done)
			time.Sleep(10*time.Second + time.Millisecond) // when the other one does not look
			first.Close()
			l, free, err := durable.Sharing{}.TryLock(d.projectLock("e1", "shop"))
			if err != nil || !free {
				panic(err)
			}
			time.Sleep(time.Hour)
			_ = l.Remove()
		}()
		err := second.LockProject(t.Context(), "e1", "shop")
		if err == nil || !strings.HasSuffix(err.Error(), "is still in use by another operation") {
			t.Errorf("%v", err)
		}
		second.Close()
		<-done
	})
}

// A signal ends the wait at once.
func TestWaitIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		first, second := d.pending("shop"), d.open("shop")
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(10 * time.Second); cancel() }()
		began := time.Now()
		if err := second.LockProject(ctx, "e1", "shop"); !errors.Is(err, context.Canceled) || time.Since(began) > 11*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		second.Close()
		first.Close()
	})
}

// Names of any length and kind make a lock that lies beside the log.
func TestOddNames(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{strings.Repeat("x", 300), "../../x", "a/b", "ä\x00b", "con-"} {
		o := d.open(name)
		if err := o.LockProject(t.Context(), strings.Repeat("e:", 200), name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if dir := filepath.Dir(o.project.Path()); dir != d.ops() {
			t.Errorf("%q: %s", name, o.project.Path())
		}
		o.Close()
	}
	if left := d.files(); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

// Whoever looks for what is dead may be faster with the lock of an operation that
// is just beginning: it begins all the same.
func TestOpenWhileSomebodyProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		if err := durable.MkdirAll(d.ops(), 0o700); err != nil {
			t.Fatal(err)
		}
		l, free, err := durable.Sharing{}.TryLock(filepath.Join(d.ops(), "01KB0000000000000000000001"))
		if err != nil || !free {
			t.Fatal(err)
		}
		go func() { time.Sleep(time.Second); _ = l.Remove() }()
		o := d.open("shop")
		if !AtWork(d.Log, o.ID) || len(d.files()) != 1 {
			t.Errorf("it does not count as at work: %q", d.files())
		}
		o.Close()
	})
}

// Without its lock an operation does not begin, and it leaves none behind.
func TestNoLock(t *testing.T) {
	d := newDesk(t)
	if err := os.MkdirAll(filepath.Dir(d.ops()), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.ops(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := d.Open(audit.Destroy)
	if f := fault.AsFault(err); f.Code != fault.ExitNoRecord || !strings.Contains(f.Error(), "nothing was destroyed") {
		t.Errorf("%+v", f)
	}
}

func TestAtWork(t *testing.T) {
	d := newDesk(t)
	o := d.pending("shop")
	if !AtWork(d.Log, o.ID) {
		t.Error("it is at work, and does not count as such")
	}
	die(o)
	for _, id := range []string{o.ID, "01KB0000000000000000009999", "", "../audit.jsonl", "e1-shop"} {
		if AtWork(d.Log, id) {
			t.Errorf("%q is not at work", id)
		}
	}
}
