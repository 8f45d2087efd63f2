package store

import (
	"bytes"
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// objects are a store in memory, for tests of what somebody else has put there.
type objects struct{ *sync.Map } // of []byte, by key

func newObjects() objects { return objects{&sync.Map{}} }

func (o objects) Put(_ context.Context, key string, data []byte) error {
	if _, there := o.LoadOrStore(key, data); there {
		return ErrExists
	}
	return nil
}

func (o objects) content(key string) ([]byte, bool) {
	data, there := o.Load(key)
	if !there {
		return nil, false
	}
	return data.([]byte), true
}

func (o objects) keys() (keys []string) {
	o.Map.Range(func(key, _ any) bool { keys = append(keys, key.(string)); return true })
	slices.Sort(keys)
	return keys
}

func (o objects) Get(_ context.Context, key string) (io.ReadCloser, error) {
	data, there := o.content(key)
	if !there {
		return nil, ErrNotThere
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (o objects) Range(_ context.Context, key string, at, size int64) ([]byte, error) {
	data, _ := o.content(key)
	if at >= int64(len(data)) {
		return nil, ErrNotThere
	}
	return data[at:min(at+size, int64(len(data)))], nil
}

func (o objects) List(_ context.Context, prefix, after string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for _, key := range o.keys() {
			data, _ := o.content(key)
			if strings.HasPrefix(key, prefix) && key > after && !yield(Object{Key: key, Size: int64(len(data))}, nil) {
				return
			}
		}
	}
}

func (o objects) Dirs(_ context.Context, prefix string) (dirs []string, err error) {
	for _, key := range o.keys() {
		if rest, in := strings.CutPrefix(key, prefix); in && strings.Contains(rest, "/") {
			dirs = append(dirs, key[:len(prefix)+strings.IndexByte(rest, '/')+1])
		}
	}
	return slices.Compact(dirs), nil
}

// Whoever can create objects cannot keep others from reading what is sealed: not with
// a day before all ids, not with a seal or an index that is too large.
func TestOthersObjects(t *testing.T) {
	for name, put := range map[string]func(o objects){
		"nothing":       func(objects) {},
		"an early day":  func(o objects) { o.Store(EventsDir+"day=0001-01-01/x", []byte{}) },
		"an early pack": func(o objects) { o.Store(packKey(time.Time{}, 1), []byte{}) },
		"a large seal":  func(o objects) { o.Store(sealKey(2), make([]byte, maxSeal+1)) },
	} {
		o := newObjects()
		history(t, o, sealDay, 100)
		key, keys := signer(t, "audit.example.com")
		mustSeal(t, sealer(o, key), 1, 200)
		put(o)
		for _, words := range [][][]string{nil, {{"shop3"}}} {
			n := 0
			q := Query{Raw: true, Words: words, Match: func(e audit.Event, _ []byte) bool { return strings.Contains(string(e.Details), `"shop3"`) }}
			err := (Archive{NewSource(o, keys, nil)}).History(t.Context(), q, func(audit.Record, []byte) error { n++; return nil })
			if err != nil || n == 0 {
				t.Errorf("%s, %q: %d events, %v", name, words, n, err)
			}
		}
	}
}

// A pack of a day that is not over hides nothing of it, whoever made it and however
// long ago the days were looked up.
func TestPackOfTomorrow(t *testing.T) {
	o := newObjects()
	day := time.Now().UTC().Truncate(oneDay).AddDate(0, 0, 1)
	o.Store(packKey(day, 1), []byte("none"))
	source := NewSource(o, nil, nil)
	if _, err := source.Days(t.Context()); err != nil {
		t.Fatal(err)
	}
	history(t, o, day, 1)
	if keys, err := dayKeys(t.Context(), source, day); err != nil || len(keys) != 2 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// A pack that is not what its seal says is told, also where its events are nowhere
// else: a seal of somebody else's, to a reader without a key, hides them.
func TestPackUnlikeSeal(t *testing.T) {
	o := newObjects()
	history(t, o, sealDay, 10)
	key, keys := signer(t, "audit.example.com")
	mustSeal(t, sealer(o, key), 1, 20)
	for _, k := range o.keys() {
		if strings.HasPrefix(k, EventsDir) {
			o.Delete(k)
		}
	}
	first, _ := o.content(sealKey(1))
	s, err := openSeal(first, keys)
	if err != nil {
		t.Fatal(err)
	}
	s.Seal, s.PackSum, s.Index = 2, s.Prev, s.Prev
	other, _ := signer(t, "audit.example.com")
	forged, err := s.sign(other)
	if err != nil {
		t.Fatal(err)
	}
	o.Store(sealKey(2), forged)
	for _, c := range []struct {
		keys Keys
		read int
		told string
	}{{keys, 20, sealKey(2)}, {nil, 0, packKey(sealDay, 1)}} {
		var told []string
		read := 0
		a := Archive{NewSource(o, c.keys, func(key string, _ error) { told = append(told, key) })}
		if err := a.History(t.Context(), Query{}, func(audit.Record, []byte) error { read += 2; return nil }); err != nil || read != c.read || !slices.Equal(told, []string{c.told}) {
			t.Errorf("%d keys: read %d events, %v, told %q", len(c.keys), read, err, told)
		}
	}
}
