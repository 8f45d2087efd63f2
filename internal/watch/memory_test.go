package watch

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

func TestMemory(t *testing.T) {
	m := Memory{filepath.Join(t.TempDir(), "audit.jsonl.watch")}
	if _, found, err := m.Load(); found || err != nil {
		t.Errorf("no file: %v, %v", found, err)
	}
	e, other := inventory.Engine{ID: "e", Name: "host", Version: "29"}, inventory.Engine{ID: "f"}
	now := time.Date(2026, 11, 24, 9, 14, 5, 123456789, time.UTC)
	want := state{
		engine: e, until: now, listed: now.Add(time.Second),
		known: map[string]inventory.Volume{
			"a": {Name: "a", Driver: "local", Created: now, Born: now, Mountpoint: "/m", Labels: map[string]string{"x": "y"}},
			"b": {Name: "b", Driver: "local", Options: map[string]string{"o": "bind", "device": "/srv"}},
		},
		held: []Loss{
			{Volume: inventory.Volume{Name: "c"}, Engine: e, At: now, Listed: now.Add(time.Second)},
			{Volume: inventory.Volume{Name: "d"}, Engine: other, At: now, Since: now.Add(-time.Hour), Listed: now.Add(time.Second)},
		},
	}
	if err := m.Save(want); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.Path+".tmp-123", nil, 0o600); err != nil { // of a crash
		t.Fatal(err)
	}
	if got, found, err := m.Load(); !found || err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v\n%+v\n%+v", found, err, got, want)
	}
	files, err := os.ReadDir(filepath.Dir(m.Path))
	if err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	if info, err := os.Stat(m.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// Of a volume's options nothing is kept that could be a secret.
func TestMemoryKeepsNoOptions(t *testing.T) {
	m := Memory{filepath.Join(t.TempDir(), "log.watch")}
	share := inventory.Volume{Name: "a", Driver: "local", Options: map[string]string{"type": "cifs", "device": "//host/share", "o": "username=u,password=s3cret"}}
	if err := m.Save(state{known: map[string]inventory.Volume{"a": share}, held: []Loss{{Volume: share}}}); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(m.Path); err != nil || strings.Contains(string(data), "s3cret") {
		t.Errorf("%v: %s", err, data)
	}
}

// What is no memory of ours is said, and the list begun anew.
func TestMemoryIsNotOne(t *testing.T) {
	for text, says := range map[string]string{
		"":                         "unexpected end of JSON input",
		"{\"v\":1,\"volumes\":[{":  "unexpected end of JSON input",
		`{"v":2,"volumes":{}}`:     "its version, 2,",
		`{}`:                       "its version, 0,",
		`[]`:                       "cannot unmarshal",
		`{"v":1,"until":"monday"}`: "monday",
		"\x00\x00\x00\x00\x00":     "invalid character",
	} {
		m := Memory{filepath.Join(t.TempDir(), "log.watch")}
		if err := os.WriteFile(m.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, found, err := m.Load(); found || err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), m.Path) {
			t.Errorf("%q: %v, %v", text, found, err)
		}
		l := &ledger{}
		said := try(t, &fake{ids: []string{"e"}, lists: [][]listed{{v("a", 1)}, {v("a", 1)}}, events: [][]Event{nil}}, l, m.Path)
		if !strings.Contains(said[0], "begun anew") || len(l.got)+len(l.gaps) > 0 {
			t.Errorf("%q: it said %q; %q, %d gaps", text, said, l.got, len(l.gaps))
		}
		if s, found, err := m.Load(); !found || err != nil || len(s.known) != 1 {
			t.Errorf("%q: afterwards %v, %v", text, found, err)
		}
	}
}
