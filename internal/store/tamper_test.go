package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// What somebody does to a store that is sealed is found, each with its class.
func TestSealTampering(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	key, keys := signer(t, "audit.example.com")
	_, foreign := signer(t, "audit.example.com")
	thief, _ := signer(t, "audit.example.com")
	firstPack, secondPack := packKey(sealDay.AddDate(0, 0, -1), 1), packKey(sealDay, 1)
	cases := map[string]struct {
		do   func(t *testing.T, dir string)
		want []string
		keys Keys
	}{
		"nothing":        {func(*testing.T, string) {}, nil, keys},
		"another key":    {func(*testing.T, string) {}, []string{"seal changed!", "seal changed!"}, foreign},
		"object changed": {func(t *testing.T, dir string) { edit(t, anEvent(t, dir), "ana", "bob") }, []string{"object changed!"}, keys},
		"object removed": {func(t *testing.T, dir string) { remove(t, anEvent(t, dir)) }, []string{"expired"}, keys},
		"object added": {func(t *testing.T, dir string) {
			write(t, filepath.Join(filepath.Dir(anEvent(t, dir)), "x.json"), []byte("{}"))
		}, nil, keys}, // Archive.Verify tells of it
		"first seal removed": {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, sealKey(1))) }, []string{"not sealed yet", "seal removed!"}, keys},
		"last seal removed":  {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, sealKey(2))) }, []string{"not sealed yet", "seal removed!"}, keys},
		"last seal and pack": {func(t *testing.T, dir string) {
			remove(t, filepath.Join(dir, sealKey(2)))
			remove(t, filepath.Join(dir, secondPack))
		}, []string{"object added!", "seal removed!"}, keys},
		"all seals removed": {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, sealsDir)) }, []string{"not sealed yet", "not sealed yet", "seal removed!"}, keys},
		"seal changed":      {func(t *testing.T, dir string) { edit(t, filepath.Join(dir, sealKey(2)), `"lines":20`, `"lines":19`) }, []string{"not sealed yet", "seal changed!", "seal removed!"}, keys},
		"seal of another day": {func(t *testing.T, dir string) {
			copyFile(t, filepath.Join(dir, sealKey(1)), filepath.Join(dir, sealKey(2)))
		}, []string{"not sealed yet", "seal changed!", "seal removed!"}, keys},
		"pack removed":   {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, firstPack)) }, []string{"pack removed!"}, keys},
		"pack rewritten": {func(t *testing.T, dir string) { rewrite(t, filepath.Join(dir, firstPack), "ana", "bob") }, []string{"pack rewritten!"}, keys},
		"pack cut":       {func(t *testing.T, dir string) { cut(t, filepath.Join(dir, firstPack)) }, []string{"pack rewritten!"}, keys},
		"packs exchanged": {func(t *testing.T, dir string) {
			copyFile(t, filepath.Join(dir, firstPack), filepath.Join(dir, secondPack))
		}, []string{"pack rewritten!"}, keys},
		"pack added": {func(t *testing.T, dir string) {
			copyFile(t, filepath.Join(dir, firstPack), filepath.Join(dir, packKey(sealDay, 2)))
		}, []string{"pack added!"}, keys},
		"pack without its ending added": {func(t *testing.T, dir string) {
			copyFile(t, filepath.Join(dir, firstPack), filepath.Join(dir, strings.TrimSuffix(firstPack, ".jsonl.zst")))
		}, []string{"object added!"}, keys},
		"pack of lies added": {func(t *testing.T, dir string) { add(t, dir) }, []string{"pack added!"}, keys},
		"index changed": {func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, indexKey(firstPack)), `"words":"`, `"words":"AA`)
		}, []string{"index changed!"}, keys},
		"index removed": {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, indexKey(firstPack))) }, []string{"index removed!"}, keys},
		"all sealed again": {func(t *testing.T, dir string) {
			b := open(t, server, server.Root, "s3://"+filepath.Base(dir))
			for _, prefix := range []string{sealsDir, packsDir} {
				for o, err := range b.List(t.Context(), prefix, "") {
					if err != nil {
						t.Fatal(err)
					}
					if err := b.client.RemoveObject(t.Context(), b.Bucket, o.Key, minio.RemoveObjectOptions{}); err != nil {
						t.Fatal(err)
					}
				}
			}
			mustSeal(t, sealer(b, thief), 2, 40)
		}, []string{"seal changed!", "seal changed!", "seal changed!"}, keys},
	}
	n := 0
	for name, c := range cases {
		n++
		bucket := fmt.Sprintf("audit-%d", n)
		t.Run(name, func(t *testing.T) {
			b := open(t, server, server.Root, server.Bucket(bucket, false))
			memory := Memory(t.TempDir())
			history(t, b, sealDay.AddDate(0, 0, -1), 10)
			history(t, b, sealDay, 10)
			s := sealer(b, key)
			s.Memory = memory
			mustSeal(t, s, 2, 40)
			verified(t, b, keys, memory)
			c.do(t, filepath.Join(server.Dir, "data", bucket))
			r := verified(t, b, c.keys, memory, c.want...)
			if r.Intact() {
				return
			}
			if name != "another key" && !strings.HasPrefix(name, "object") && !strings.Contains(name, "pack") && !strings.HasPrefix(name, "index") {
				if _, err := s.Seal(t.Context()); !errors.As(err, new(*BrokenError)) {
					t.Errorf("it was gone on with: %v", err)
				}
			}
		})
	}
}

func anEvent(t *testing.T, dir string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, EventsDir, "*", "*.json"))
	if err != nil || len(all) == 0 {
		t.Fatal(err, all)
	}
	return all[len(all)-1]
}

func edit(t *testing.T, file, old, with string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(data, []byte(old), []byte(with), 1)
	if bytes.Equal(changed, data) {
		t.Fatalf("%s has no %q: %s", file, old, data)
	}
	write(t, file, changed)
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, data)
}

func cut(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, data[:len(data)/2])
}

// rewrite changes a line in a pack.
func rewrite(t *testing.T, file, old, with string) {
	t.Helper()
	write(t, file, repack(t, file, old, with))
}

func repack(t *testing.T, file, old, with string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []sealed
	if err := decodePack(bytes.NewReader(data), func(line []byte) error {
		line = bytes.Replace(line, []byte(old), []byte(with), 1)
		e, err := audit.Parse(line)
		if err != nil {
			return err
		}
		key, err := KeyOf(e, line)
		lines = append(lines, sealed{key, line})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	pack, _, err := encodePack(lines)
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// add puts a pack of well-formed lines there that nobody recorded.
func add(t *testing.T, dir string) {
	t.Helper()
	write(t, filepath.Join(dir, packKey(sealDay, 2)), repack(t, filepath.Join(dir, packKey(sealDay, 1)), "ana", "bob"))
}
