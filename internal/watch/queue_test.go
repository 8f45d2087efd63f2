package watch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// talkative tells of a thousand deletions as fast as they are taken, and then
// waits for the end. The engine closes told when all were taken.
type talkative struct {
	fake
	told chan struct{}
}

func (e *talkative) Follow(ctx context.Context, ready func(), visit func(Event)) error {
	ready()
	for i := range 1000 {
		visit(gone(fmt.Sprint(i)))
	}
	close(e.told)
	<-ctx.Done()
	return errors.New("gone away")
}

// slow does not record anything before the engine has told all.
type slow struct {
	ledger
	told   <-chan struct{}
	cancel context.CancelFunc
}

func (l *slow) Record(ctx context.Context, losses []Loss, last bool) ([]Loss, error) {
	<-l.told
	left, err := l.ledger.Record(ctx, losses, last)
	if len(l.got) == 1000 {
		l.cancel()
	}
	return left, err
}

// However slow the log is, the engine's stream is read; and each loss is recorded
// once.
func TestStreamIsRead(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan struct{})
	l := &slow{told: told, cancel: cancel}
	w := Watch{
		Engine: &talkative{fake{ids: []string{"e"}, lists: [][]listed{{}, {}}, cancel: cancel}, told}, Ledger: l,
		Memory: Memory{filepath.Join(t.TempDir(), "log.watch")}, Now: time.Now, Note: func(string) {},
	}
	if err := w.Run(ctx); err != nil {
		t.Error(err)
	}
	seen := map[string]int{}
	for _, text := range l.got {
		seen[text]++
	}
	if len(l.got) != 1000 || len(seen) != 1000 {
		t.Errorf("%d records of %d volumes", len(l.got), len(seen))
	}
}
