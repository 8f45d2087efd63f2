package trash

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const op = "01KB3Z8A0C0000000000000000"

func place(t *testing.T, volumes ...string) Place {
	t.Helper()
	p := Place{Root: t.TempDir()}
	for _, v := range volumes {
		if err := os.MkdirAll(filepath.Join(p.volume(v), dataName), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.volume(v), dataName, "f"), []byte(v), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p Place) must(t *testing.T, r Request) Response {
	t.Helper()
	out, err := p.Do(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func entries(names ...string) (all []Entry) {
	for _, n := range names {
		all = append(all, Entry{Operation: op, Volume: n, Kept: time.Now(), Until: time.Now().Add(time.Hour)})
	}
	return all
}

// All are set aside or none.
func TestSetAsideAllOrNone(t *testing.T) {
	p := place(t, "a", "b")
	if _, err := p.Do(context.Background(), Request{Action: DoSetAside, Entries: entries("a", "b", "missing")}); err == nil {
		t.Fatal("a volume that is not there was set aside")
	}
	out := p.must(t, Request{Action: DoLocate, Items: []Item{{Operation: op, Volume: "a"}, {Operation: op, Volume: "b"}}})
	for _, f := range out.Found {
		if f.Where != InVolume || f.Entry != nil {
			t.Errorf("%+v", f)
		}
	}
}

// What cannot be kept is told, and what is not a name never becomes a path.
func TestSurvey(t *testing.T) {
	p := place(t, "a", "link")
	data := filepath.Join(p.volume("link"), dataName)
	if err := os.Rename(data, data+"2"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(data+"2", data); err != nil {
		t.Fatal(err)
	}
	out := p.must(t, Request{Action: DoSurvey, Items: []Item{{Volume: "a"}, {Volume: "link"}, {Volume: "../volumes/a"}}})
	if out.Found[0].Error != "" || out.Found[1].Error == "" || out.Found[2].Error == "" || out.Space.Total == 0 {
		t.Errorf("%+v", out)
	}
	if info, err := os.Stat(filepath.Join(p.Root, trashDir)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	for _, item := range []Item{{Operation: "../x", Volume: "a"}, {Operation: op, Volume: ".."}, {Operation: op, Volume: "a", As: "../a"}} {
		for _, action := range []string{DoPutBack, DoLocate, DoPurge} {
			if f := p.must(t, Request{Action: action, Items: []Item{item}}).Found[0]; f.Error == "" {
				t.Errorf("%s %+v: %+v", action, item, f)
			}
		}
	}
	if _, err := (Place{Root: t.TempDir()}).Do(context.Background(), Request{Action: DoSurvey}); err == nil {
		t.Error("a directory of no engine will do")
	}
}

// A survivor is known again after it was put back twice; another of its name is
// not.
func TestSurvivor(t *testing.T) {
	p := place(t, "a")
	item := Item{Operation: op, Volume: "a"}
	p.must(t, Request{Action: DoSetAside, Entries: entries("a")})
	for range 2 {
		if f := p.must(t, Request{Action: DoPutBack, Items: []Item{item}}).Found[0]; f.Where != InVolume || !f.Same || f.Error != "" {
			t.Errorf("%+v", f)
		}
	}
	if err := os.RemoveAll(p.volume("a")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(p.volume("a"), dataName), 0o755); err != nil {
		t.Fatal(err)
	}
	if f := p.must(t, Request{Action: DoLocate, Items: []Item{item}}).Found[0]; f.Same || !f.Empty {
		t.Errorf("%+v", f)
	}
}

// Nothing is overwritten: both stay, and an empty one is swapped only where that
// is asked for.
func TestPutBackOver(t *testing.T) {
	p := place(t, "a")
	p.must(t, Request{Action: DoSetAside, Entries: entries("a")})
	data := filepath.Join(p.volume("a"), dataName)
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	item := Item{Operation: op, Volume: "a"}
	if f := p.must(t, Request{Action: DoPutBack, Items: []Item{item}}).Found[0]; f.Where != InBoth || f.Error == "" || !f.Empty {
		t.Errorf("empty: %+v", f)
	}
	if err := os.WriteFile(filepath.Join(data, "new"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	item.Swap = true
	if f := p.must(t, Request{Action: DoPutBack, Items: []Item{item}}).Found[0]; f.Where != InBoth || f.Error == "" {
		t.Errorf("content: %+v", f)
	}
	if err := os.Remove(filepath.Join(data, "new")); err != nil {
		t.Fatal(err)
	}
	if f := p.must(t, Request{Action: DoPutBack, Items: []Item{item}}).Found[0]; f.Where != InVolume || f.Error != "" || !f.Acted {
		t.Errorf("swap: %+v", f)
	}
	if left, err := os.ReadDir(filepath.Join(p.Root, trashDir)); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// What a write of an entry has left that was cut off goes with the next listing
// after a while, and not before.
func TestLeftover(t *testing.T) {
	p := place(t, "a")
	dir := p.entry(op, "a")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, entryName+".tmp-X"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for age, stays := range []bool{true, false} {
		changed := time.Now().Add(-time.Duration(age) * (leftLife + time.Hour))
		if err := os.Chtimes(dir, changed, changed); err != nil {
			t.Fatal(err)
		}
		if out := p.must(t, Request{Action: DoList}); len(out.Held) > 0 {
			t.Errorf("%+v", out.Held)
		}
		if there, err := exists(filepath.Dir(dir)); there != stays || err != nil {
			t.Errorf("it is there: %t, %v; want: %t", there, err, stays)
		}
	}
}

// What is kept and has an entry that cannot be read is told of with the reason, and stays.
func TestUnreadable(t *testing.T) {
	p := place(t, "a")
	item := Item{Operation: op, Volume: "a"}
	p.must(t, Request{Action: DoSetAside, Entries: entries("a")})
	if err := os.RemoveAll(p.volume("a")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(p.entry(op, "a"), entryName)
	if err := os.WriteFile(path, []byte(`{"v":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	found := append(p.must(t, Request{Action: DoLocate, Items: []Item{item}}).Found, p.must(t, Request{Action: DoList}).Held...)
	for _, f := range found {
		if f.Where != InTrash || f.Entry != nil || !strings.Contains(f.Error, "is of version 2") {
			t.Errorf("%+v", f)
		}
	}
	if len(found) != 2 || len(Excess(found, Space{}, time.Now().Add(time.Hour*24*365))) > 0 {
		t.Errorf("%+v", found)
	}
	if f := p.must(t, Request{Action: DoPurge, Items: []Item{item}}).Found[0]; f.Where != Nowhere || f.Error != "" {
		t.Errorf("purged: %+v", f)
	}
}
