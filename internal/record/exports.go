package record

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// FoundExport is an export that a log knows of.
type FoundExport struct {
	audit.Record
	Details Details
}

// query finds the operations whose last line has one of the words. Words alone
// lets more lines through.
func query(words ...string) audit.Query {
	has := func(_ audit.Event, line []byte) bool {
		return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(line, []byte(w)) })
	}
	return audit.Query{Words: words, Match: has}
}

// EachExport visits the operations of a log that exported something, newest
// first, until visit returns an error.
func EachExport(l *audit.Log, visit func(FoundExport) error) (audit.Scanned, error) {
	return l.History(query("manifest_sha256"), func(r audit.Record, _ []byte) error {
		d, err := ParseDetails(r.Event)
		if err != nil || d.Export == nil || r.ExportPath == "" {
			return nil // a script's details, of another shape
		}
		return visit(FoundExport{r, d})
	})
}

var errEnough = errors.New("enough was seen")

// LastExports finds the newest export of each volume in the book's log, or the
// newest restore: what was restored from an export is what that export
// holds. there says whether the export still exists. About a volume that it
// leaves out nothing is known. It reads all of the log, through all segments,
// where one of them was never exported: a limit would turn "never" into
// "perhaps", and refuse for ever if an export is required. A search of 1 GiB
// takes a quarter of a second.
func (b *Book) LastExports(volumes []string, there func(path string) bool) map[string]inventory.LastExport {
	out := map[string]inventory.LastExport{}
	scanned, err := b.Log.History(query("manifest_sha256", "restored"), func(r audit.Record, _ []byte) error {
		for _, name := range savedBy(r) {
			if _, newer := out[name]; slices.Contains(volumes, name) && !newer {
				out[name] = inventory.LastExport{At: r.Timestamp.UTC().Format(time.RFC3339), Path: r.ExportPath, There: there(r.ExportPath)}
			}
		}
		if len(out) == len(volumes) {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) || scanned.Missing != "" {
		return out // enough was seen, or not everything could be
	}
	for _, name := range volumes {
		if _, found := out[name]; !found {
			out[name] = inventory.LastExport{} // never
		}
	}
	return out
}

// savedBy are the volumes whose content the operation's export holds.
func savedBy(r audit.Record) (names []string) {
	d, err := ParseDetails(r.Event)
	if err != nil || r.ExportPath == "" {
		return nil // a script's details, of another shape
	}
	if d.Export != nil {
		for _, v := range d.Export.Volumes {
			names = append(names, v.Name)
		}
	}
	if r.Operation == audit.Restore && r.Outcome == audit.Success {
		for _, v := range d.Restored {
			names = append(names, v.Name)
		}
	}
	return names
}
