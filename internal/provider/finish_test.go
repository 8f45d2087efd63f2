package provider

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/lab/fake"
	"github.com/contextcore/ccdestroy/internal/record"
)

// A signal ends the finisher soon, whatever it waits for, and leaves the operation to
// whoever comes next; what it has almost done it does.
func TestSignalEndsTheFinisher(t *testing.T) {
	self := Finish{PID: os.Getpid(), Started: actor.StartOf(os.Getpid())}
	ended := Finish{PID: os.Getpid(), Started: "some other time"}
	settled := record.Ended{Outcome: audit.Success, Affected: []string{}}
	hangs := func(ctx context.Context, _ *record.Operation) (record.Ended, error) {
		<-ctx.Done()
		return settled, ctx.Err()
	}
	for name, c := range map[string]struct {
		Finish
		settle record.Settler
		want   audit.Outcome
	}{
		"Compose runs":     {self, hangs, audit.Pending},
		"the engine hangs": {ended, hangs, audit.Pending},
		"the engine fails": {ended, func(context.Context, *record.Operation) (record.Ended, error) { return settled, errors.New("it fails") }, audit.Pending},
		"the engine takes a bit": {ended, func(context.Context, *record.Operation) (record.Ended, error) {
			time.Sleep(time.Second)
			return settled, nil
		}, audit.Success},
	} {
		fake.Bubble(t, name, func(t testing.TB) {
			p, err := down(t, nil, func(string, string, Caller, []*os.File) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			e, _ := p.Event()
			book := record.Book{
				Log: p.Log, Recorder: p.Recorder(), User: "ana", Tool: "test", Now: p.Now, Note: func(string) {}, Settlers: map[string]record.Settler{audit.Destroy: c.settle},
			}
			signals, began := make(chan os.Signal, 1), time.Now()
			c.Book, c.ID, c.Signals = &book, e.ID, signals
			time.AfterFunc(500*time.Millisecond, func() { signals <- syscall.SIGTERM })
			err = c.Do(context.Background())
			if e, _ := p.Event(); e.Outcome != c.want || (err == nil) != (c.want == audit.Success) || err != nil && fault.AsFault(err).Code != 143 {
				t.Errorf("%s, %v", e.Outcome, err)
			}
			if took := time.Since(began); took > 2*lastMoment {
				t.Errorf("it took %s", took)
			}
			o, err := book.Adopt(e.ID)
			if (o != nil) != (c.want == audit.Pending) || err != nil {
				t.Errorf("another one can take it up: %t, %v", o != nil, err)
			}
			if o != nil {
				o.Close()
			}
		})
	}
}
