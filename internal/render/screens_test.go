package render

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/logs"
)

var update = flag.Bool("update", false, "write the goldens anew")

// golden compares a screen with testdata/NAME.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%s is not as it was (go test -update writes it anew): %v\n%s", name, err, got)
	}
}

// generated is a log that is the same every time.
func generated(t *testing.T) *audit.Log {
	t.Helper()
	l := &audit.Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	f, err := os.Create(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := logs.Write(f, logs.Options{Seed: 11, Bytes: 1 << 20, Events: 61}); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestScreens(t *testing.T) {
	time.Local = time.UTC
	l := generated(t)
	at := time.Date(2024, 1, 9, 4, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		format Format
		style  Style
	}{
		"history-60.txt":    {Table, Style{Width: 60}},
		"history-color.txt": {Table, Style{Width: 100, Color: true}},
		"wide.txt":          {Wide, Style{}},
		"history.csv":       {CSV, Style{}},
		"history.html":      {HTML, Style{}},
		"history.jsonl":     {JSONL, Style{}},
	} {
		var b bytes.Buffer
		list := NewListing(&b, c.format, at, c.style)
		if _, err := l.History(audit.Query{Limit: 8}, list.Record); err != nil {
			t.Fatal(err)
		}
		if err := list.End(); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
	}
	data, err := os.ReadFile(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := &audit.Log{Path: filepath.Join(t.TempDir(), "spoilt")}
	if err := os.WriteFile(spoilt.Path, append(bytes.Replace(data, []byte(`"cancelled"`), []byte(`"success"`), 1), "half a li"...), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, log := range map[string]*audit.Log{"verify-intact": l, "verify-spoilt": spoilt} {
		r, err := log.Verify(nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Path = "audit.jsonl"
		fits(t, name, func(w io.Writer, style Style) error { return Verify(w, r, style) })
	}
}
