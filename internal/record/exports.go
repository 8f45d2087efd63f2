package record

import (
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

// At is when it was recorded, in RFC 3339.
func (f FoundExport) At() string { return f.Timestamp.UTC().Format(time.RFC3339) }

// EachExport visits the operations of a log that exported something, newest
// first, until visit returns an error.
func EachExport(l *audit.Log, visit func(FoundExport) error) error {
	_, err := l.History(audit.Query{Words: []string{"manifest_sha256"}}, func(r audit.Record, _ []byte) error {
		d, err := ParseDetails(r.Event)
		if err != nil || d.Export == nil || r.ExportPath == "" {
			return nil // a script's details, of another shape
		}
		return visit(FoundExport{r, d})
	})
	return err
}

var errEnough = errors.New("enough was seen")

// LastExports finds the newest export of each volume in the book's log. there
// says whether the export lies there still. It is nil when the log cannot be
// read; where there is none yet, nothing was ever exported.
func (b *Book) LastExports(volumes []string, there func(path string) bool) map[string]inventory.LastExport {
	out := map[string]inventory.LastExport{}
	err := EachExport(b.Log, func(found FoundExport) error {
		for _, v := range found.Details.Export.Volumes {
			if _, newer := out[v.Name]; slices.Contains(volumes, v.Name) && !newer {
				out[v.Name] = inventory.LastExport{At: found.At(), Path: found.ExportPath, There: there(found.ExportPath)}
			}
		}
		if len(out) == len(volumes) {
			return errEnough
		}
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return map[string]inventory.LastExport{}
	case err != nil && !errors.Is(err, errEnough):
		return nil // a teardown complains of that itself
	}
	return out
}
