package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// volume is one that Save could have written.
func volume(name string) Volume {
	sum := strings.Repeat("0a", 32)
	return Volume{Name: name, Driver: "local", Method: Direct, Consistency: Stopped, Archive: Archive{
		Path: archivePath(name), MediaType: MediaType, Size: 5, SHA256: sum, TarSize: 6, TarSHA256: sum,
	}}
}

func encoded(t testing.TB, volumes ...Volume) []byte {
	t.Helper()
	data, err := json.Marshal(Manifest{Version: 1, Volumes: volumes})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestManifest(t *testing.T) {
	e := exported(t, fromTar(stream(t, dir("./"))))
	path := filepath.Join(e.Dir, manifestName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		old, new string
		want     error
	}{
		"newer":            {`"version": 1`, `"version": 2`, ErrNewer},
		"no version":       {`"version": 1`, `"versions": 1`, nil},
		"another path":     {`volumes/v.tar.zst`, `../../../etc/passwd`, nil},
		"an absolute path": {`volumes/v.tar.zst`, `/etc/passwd`, nil},
		"no JSON":          {`{`, `[`, nil},
	} {
		if err := os.WriteFile(path, bytes.Replace(good, []byte(c.old), []byte(c.new), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(e.Dir); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	half, err := Begin(t.TempDir(), "shop", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(half.Dir()); !errors.Is(err, ErrIncomplete) {
		t.Errorf("half an export: %v", err)
	}
}

// What no export of ours has in its manifest is refused; what surprises is read.
func TestHostileManifest(t *testing.T) {
	with := func(change func(v *Volume)) []byte {
		v := volume("v")
		change(&v)
		return encoded(t, v)
	}
	half := func(v *Volume) { v.Content.Bytes = math.MaxInt64/2 + 1 }
	huge := volume("w")
	half(&huge)
	huger := volume("x")
	half(&huger)
	for name, data := range map[string][]byte{
		"a path that climbs":      with(func(v *Volume) { v.Archive.Path = "volumes/../../../etc/passwd" }),
		"a path that is absolute": with(func(v *Volume) { v.Archive.Path = "/etc/passwd" }),
		"a path of Windows":       with(func(v *Volume) { v.Archive.Path = `volumes\v.tar.zst` }),
		"another volume's path":   with(func(v *Volume) { v.Archive.Path = archivePath("w") }),
		"a volume twice":          encoded(t, volume("v"), volume("w"), volume("v")),
		"no name":                 encoded(t, volume("")),
		"a name without end":      encoded(t, volume(strings.Repeat("v", maxNameBytes+1))),
		"a negative size":         with(func(v *Volume) { v.Archive.Size = -1 }),
		"a negative length":       with(func(v *Volume) { v.Content.Bytes = math.MinInt64 }),
		"a negative count":        with(func(v *Volume) { v.Entries = map[string]int64{"file": -1} }),
		"a negative loss":         with(func(v *Volume) { v.Skipped = []Skipped{{Count: -1}} }),
		"a negative owner":        with(func(v *Volume) { v.Root.UID = -1 }),
		"a sum beyond all":        encoded(t, huge, huger),
		"a number beyond all":     bytes.Replace(encoded(t, volume("v")), []byte(`"size":5`), []byte(`"size":1e300`), 1),
		"no sum":                  with(func(v *Volume) { v.Archive.SHA256 = "" }),
		"a sum that is none":      with(func(v *Volume) { v.Archive.TarSHA256 = "\x1b[2J" + v.Archive.TarSHA256[4:] }),
		"another type":            with(func(v *Volume) { v.Archive.MediaType = "text/html" }),
		"a million volumes":       []byte(`{"version":1,"volumes":[` + strings.Repeat("{},", 1e6) + `{}]}`),
		"a million labels":        []byte(`{"version":1,"volumes":[{"labels":{` + strings.Repeat(`"a":"",`, 1e6) + `"b":""}}]}`),
		"a million levels":        []byte(`{"version":1,"x":` + strings.Repeat(`[`, 1e6) + strings.Repeat(`]`, 1e6) + `}`),
		"a hundred levels":        []byte(`{"version":1,"x":` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `}`),
		"nothing":                 {},
		"zeros":                   make([]byte, maxManifest),
		"a string that ends not":  []byte(`{"version":1,"x":"` + strings.Repeat(`{`, maxValues+1)),
		"a backslash at the end":  []byte(`{"version":1,"x":"\`),
		"more after it":           append(encoded(t), "{}"...),
		"too much of it":          append(encoded(t), bytes.Repeat([]byte(" "), maxManifest)...),
	} {
		if m, err := parseManifest(data); err == nil || len(err.Error()) > 3*maxNameBytes {
			t.Errorf("%s: %d volumes, %.200v", name, len(m.Volumes), err)
		}
	}
	for name, data := range map[string][]byte{
		"no volumes":         encoded(t),
		"brackets in a text": []byte(`{"version":1,"project":"` + strings.Repeat(`[{,\"`, maxValues) + `"}`),
		"the largest sum":    encoded(t, huge),
	} {
		if _, err := parseManifest(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A large export can be read, and one that could not is not written.
func TestManifestOfManyVolumes(t *testing.T) {
	many := func(n int) (out []Volume) {
		for i := range n {
			v := volume(fmt.Sprintf("shop_%d", i))
			v.Labels = map[string]string{"com.docker.compose.project": "shop", "com.docker.compose.volume": "x", "com.docker.compose.version": "5.6.0"}
			v.Entries = map[string]int64{"file": 1, "directory": 1, "symlink": 1}
			v.Skipped = []Skipped{{What: "socket", Why: "why", Count: 30, Names: make([]string, namedSkips)}}
			out = append(out, v)
		}
		return out
	}
	if m, err := parseManifest(encoded(t, many(3000)...)); err != nil || len(m.Volumes) != 3000 {
		t.Errorf("%d volumes, %v", len(m.Volumes), err)
	}
	d := begun(t)
	if _, err := d.Finish(Manifest{Volumes: many(10_000)}); err == nil {
		t.Error("what cannot be read was written")
	}
	if err := d.Drop(); err != nil {
		t.Error(err)
	}
}

// Reading a manifest never fails but with an error; what is read leads nowhere
// but into the export, and is written again as it was.
func FuzzManifest(f *testing.F) {
	data := volume("Data")
	data.Skipped, data.Entries = []Skipped{{What: "socket", Count: 1, Names: []string{"./a"}}}, map[string]int64{"file": 7}
	data.Started = time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	f.Add(encoded(f, data, volume("b")))
	f.Add([]byte(`{"version":1,"volumes":[{"name":"v","archive":{"path":"volumes/../v.tar.zst"}}]}`))
	f.Add([]byte(`{"version":1,"volumes":[{}],"VOLUMES":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err != nil {
			return
		}
		if m.Bytes() < 0 {
			t.Errorf("%d bytes", m.Bytes())
		}
		seen := map[string]bool{}
		for _, v := range m.Volumes {
			rest, ok := strings.CutPrefix(v.Archive.Path, "volumes/")
			if !ok || !filepath.IsLocal(rest) || strings.ContainsAny(rest, `/\:`) || seen[v.Archive.Path] {
				t.Errorf("%q", v.Archive.Path)
			}
			seen[v.Archive.Path] = true
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseManifest(again)
		if err != nil {
			t.Fatal(err)
		}
		if third, err := json.Marshal(back); err != nil || !bytes.Equal(again, third) {
			t.Errorf("%s became %s, %v", again, third, err)
		}
	})
}
