package export

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Shelf is where the exports of a log are looked for: the paths in a log are
// untrusted, and are opened only below directories of ours.
type Shelf struct {
	Log  *audit.Log
	Dirs func(path string) []string // for an export at a path; see archive.OpenListed
}

// List returns the exports that the log knows of, newest first. Without a log
// there are none.
func (s Shelf) List() (list []archive.Found, err error) {
	_, err = record.EachExport(s.Log, func(found record.FoundExport) error {
		f := archive.AtListed(found.ExportPath, found.Details.Export.Manifest, s.Dirs(found.ExportPath))
		if f.ID == "" { // what is there proves nothing; only the log does
			f.ID, f.Project, f.Started = found.ID, found.Details.Project, found.Timestamp.UTC()
			for _, v := range found.Details.Export.Volumes {
				f.Volumes = append(f.Volumes, v.Name)
				f.Bytes += v.Bytes
			}
		}
		list = append(list, f)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, err
}

// In returns the exports in a directory, newest first.
func In(dir string) (list []archive.Found, err error) {
	paths, err := archive.List(dir)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		list = append(list, archive.At(path))
	}
	slices.SortStableFunc(list, func(a, b archive.Found) int { return b.Started.Compare(a.Started) })
	return list, nil
}

// Last finds the newest export of each volume in the log of a book; see
// record.LastExports.
func (s Shelf) Last(b *record.Book, volumes []string) map[string]inventory.LastExport {
	return b.LastExports(volumes, func(path string) bool {
		e, err := archive.OpenListed(path, s.Dirs(path))
		return err == nil && e.Look() == nil
	})
}

// Manifests are the sums of the manifests that the log knows, by path.
func (s Shelf) Manifests() map[string]string {
	known := map[string]string{}
	_, _ = record.EachExport(s.Log, func(found record.FoundExport) error { // without a log only the manifests themselves are checked
		known[found.ExportPath] = found.Details.Export.Manifest
		return nil
	})
	return known
}

// Check reads an export through and compares every hash, and its manifest with
// the sum that the log knows, where that is not "".
func Check(ctx context.Context, path, manifest string) (problems []string, err error) {
	e, err := archive.Open(path)
	if err != nil {
		return nil, err
	}
	if manifest != "" && manifest != e.Sum {
		problems = append(problems, "the manifest is not the one that the log knows")
	}
	for _, v := range e.Manifest.Volumes {
		if err := e.Check(ctx, v); ctx.Err() != nil {
			return problems, ctx.Err()
		} else if err != nil {
			problems = append(problems, err.Error())
		}
	}
	return problems, nil
}
