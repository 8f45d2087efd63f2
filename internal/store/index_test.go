package store

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// An index is read as JSON says, wherever its names are and however they are spelt.
func TestParseIndex(t *testing.T) {
	written := string(Index{V: 1, Pack: "ab", Lines: 2, Names: []byte("some\nnames\n"), Frames: []Frame{{Size: 3, Sum: "cd", Lines: 2, Words: []byte{1, 2}}}}.bytes())
	names := `"names":"c29tZQpuYW1lcwo="`
	if !strings.Contains(written, names) {
		t.Fatal(written)
	}
	for name, text := range map[string]string{
		"as written":   written,
		"spaced":       strings.ReplaceAll(written, `":`, `" : `),
		"escaped":      strings.Replace(written, "c29t", `\u00632\u0039t`, 1),
		"none":         strings.Replace(written, names, `"names":null`, 1),
		"empty":        strings.Replace(written, names, `"names":""`, 1),
		"at the end":   strings.Replace(strings.Replace(written, names+",", "", 1), "}]}", "}],"+names+"}", 1),
		"twice":        strings.Replace(written, names, names+`,"names":"eAo="`, 1),
		"no base64":    strings.Replace(written, "c29t", "....", 1),
		"without end":  written[:strings.Index(written, names)+len(names)-4],
		"no text":      strings.Replace(written, names, `"names":5`, 1),
		"cut short":    written[:len(written)-5],
		"more behind":  written + "{}",
		"nothing":      "",
		"another case": strings.Replace(written, "names", "NAMES", 1),
	} {
		var want Index
		wantErr := json.Unmarshal([]byte(text), &want)
		got, err := parseIndex([]byte(text))
		same := string(got.Names) == string(want.Names)
		got.Names, want.Names = nil, nil // whether none are nil is of no interest
		if (err == nil) != (wantErr == nil) || err == nil && (!same || !reflect.DeepEqual(got, want)) {
			t.Errorf("%s: %+v, %v; want %+v, %v", name, got, err, want, wantErr)
		}
	}
}
