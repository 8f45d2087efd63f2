package reap

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

func of(project string, more ...string) map[string]string {
	labels := map[string]string{inventory.LabelProject: project}
	for i := 0; i+1 < len(more); i += 2 {
		labels[more[i]] = more[i+1]
	}
	return labels
}

const day = 24 * time.Hour

func length(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		text = days + "h"
		d, err := time.ParseDuration(text)
		return 24 * d, err
	}
	return time.ParseDuration(text)
}

func TestDue(t *testing.T) {
	s := inventory.Snapshot{
		Containers: []inventory.Container{
			{Labels: of("old"), Created: ago(10 * day)},
			{Labels: of("renewed"), Created: ago(time.Hour)},
			{Labels: of("ttl", LabelTTL, "1d"), Created: ago(2 * day), ImageID: "sha256:5"},
			{Labels: of("long", LabelTTL, "1d"), Created: ago(10 * day), ImageID: "sha256:5"},
			{Labels: of("unlisted", LabelTTL, "1d"), Created: ago(2 * day), ImageID: "sha256:6", Name: "unlisted-web-1"},
			{Labels: of("edge"), Created: ago(5 * day)},
			{Labels: of("image", LabelTTL, "1d"), Created: ago(2 * day), ImageID: "sha256:1"},
			{Labels: of("tag", LabelTTL, "1d"), Created: ago(2 * day), ImageID: "sha256:2", Image: "evil"},
			{Labels: of("Upper"), Created: ago(10 * day)},
			{Labels: of("Young"), Created: ago(time.Hour)},
			{Labels: of("own", LabelTTL, "1d"), Created: ago(2 * day), ImageID: "sha256:4"},
			{Created: ago(10 * day)},
		},
		Volumes: []inventory.Volume{
			{Name: "old_data", Labels: of("old"), Created: ago(9 * day)},
			{Name: "renewed_data", Labels: of("renewed"), Created: ago(10 * day)},
			{Name: "long_data", Labels: of("long", LabelTTL, "30d"), Created: ago(10 * day)},
			{Name: "wrong_data", Labels: of("wrong", LabelTTL, "-1d"), Created: ago(10 * day)},
			{Name: "guarded_data", Labels: of("guarded", inventory.LabelProtect, "true"), Created: ago(10 * day)},
		},
		Images: []inventory.Image{
			{ID: "sha256:1", Labels: map[string]string{LabelTTL: "1d"}},
			{ID: "sha256:3", Tags: []string{"evil"}, Labels: map[string]string{LabelTTL: "1d"}},
			{ID: "sha256:5"},
			{ID: "sha256:4", Labels: map[string]string{LabelTTL: "1s"}},
		},
		Networks: []inventory.Network{
			{Labels: of("bare"), Created: ago(10 * day)},
			{Labels: of("old"), Created: ago(time.Hour)},
		},
	}
	got := map[string]Project{}
	for _, p := range Due(s, Rules{OlderThan: 5 * day, Length: length}, now) {
		got[p.Name] = p
	}
	for name, want := range map[string]struct {
		over, goes bool
		age        time.Duration
	}{
		"old": {true, true, 9 * day}, "renewed": {false, false, time.Hour}, "ttl": {true, true, 2 * day}, "long": {false, false, 10 * day},
		"wrong": {false, false, 10 * day}, "guarded": {true, false, 10 * day}, "bare": {true, true, 10 * day}, "edge": {false, false, 5 * day},
		"image": {false, false, 2 * day}, "tag": {false, false, 2 * day}, "own": {true, true, 2 * day},
		"unlisted": {true, false, 2 * day}, "Upper": {true, false, 10 * day}, "Young": {false, false, time.Hour},
	} {
		if p, is := got[name]; !is || p.Over != want.over || p.Goes() != want.goes || p.Age != want.age {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if len(got) != 14 || got["unlisted"].Stays == "" || got["wrong"].Stays == "" || got["Upper"].Stays == "" || got["Young"].Stays != "" || got["guarded"].Stays == "" {
		t.Errorf("%+v", got)
	}
	some := Due(s, Rules{Match: []string{"ol*", "ttl"}, Length: length}, now)
	if len(some) != 2 || some[0].Name != "old" || some[0].Over || !some[1].Over {
		t.Errorf("%+v", some)
	}
}

type still inventory.Snapshot

func (s still) Snapshot(context.Context, inventory.Scope) (inventory.Snapshot, error) {
	return inventory.Snapshot(s), nil
}

// No more than so many are torn down at once; a signal reaches those, and no
// further one begins; each is told of once.
func TestRun(t *testing.T) {
	var s inventory.Snapshot
	for name := range strings.SplitSeq("a b c d e f g h", " ") {
		s.Containers = append(s.Containers, inventory.Container{Labels: of(name), Created: ago(day)})
	}
	signals := make(chan os.Signal, 1)
	var mu sync.Mutex
	running, most, told := 0, 0, 0
	both := make(chan struct{})
	run := Run{
		Engine: still(s), Rules: Rules{OlderThan: time.Hour, Length: length}, AtOnce: 2, Now: func() time.Time { return now }, Signals: signals,
		Agree: func(context.Context, []Project) error { return nil },
		Done:  func(Result) { told++ },
		TearDown: func(_ context.Context, project string, _ func(inventory.Snapshot) error, sig <-chan os.Signal) (record.Ending, error) {
			mu.Lock()
			running++
			if most = max(most, running); running == 2 {
				signals <- syscall.SIGTERM
				close(both)
			}
			mu.Unlock()
			<-both
			got := <-sig
			mu.Lock()
			running--
			mu.Unlock()
			return record.Ending{ID: project, Outcome: audit.Cancelled}, fault.StoppedBy(got, "x")
		},
	}
	results, code, err := run.Do(context.Background())
	if err != nil || code != 128+int(syscall.SIGTERM) || most != 2 || told != 8 || len(results) != 8 {
		t.Errorf("%v, exit %d, %d at once, %d told, %d results", err, code, most, told, len(results))
	}
	for _, r := range results {
		if r.Err == nil || r.Name > "b" && r.Ending.ID != "" {
			t.Errorf("%+v", r)
		}
	}
	run.Agree = func(context.Context, []Project) error { return errors.New("no") }
	if _, _, err := run.Do(context.Background()); err == nil || told != 8 {
		t.Errorf("%v, %d told", err, told)
	}
}
