package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type exportsCmd struct {
	List  exportsListCmd  `cmd:"" default:"withargs" help:"List the exports that the log knows of, or that lie in a directory: the command when none is named."`
	Check exportsCheckCmd `cmd:"" help:"Read an export through and compare every hash; exit 7 when something is wrong."`
}

type exportsListCmd struct {
	Format string `enum:"table,json" default:"table" help:"table or json."`
	Dir    string `arg:"" optional:"" name:"directory" completion-predictor:"file" help:"Directory of exports; none means those that the log knows of."`
	logFlag
}

// Run lists, newest first.
func (c exportsListCmd) Run(p Process) error {
	list, err := c.list(p)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return render.ExportsJSON(p.Stdout, list)
	}
	return render.Exports(p.Stdout, list, p.Now(), p.style(p.Stdout))
}

func (c exportsListCmd) list(p Process) (list []render.Export, err error) {
	if c.Dir != "" {
		dir := p.abs(c.Dir)
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, &teardown.Fault{Err: fmt.Errorf("%q is no directory", c.Dir), Try: "ccdestroy exports", Code: teardown.ExitUsage}
		}
		paths, err := archive.List(dir)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			list = append(list, exportAt(path))
		}
		slices.SortStableFunc(list, func(a, b render.Export) int { return strings.Compare(b.Started, a.Started) })
		return list, nil
	}
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return nil, err
	}
	p.warnHead(l)
	_, err = p.eachExport(l, func(found foundExport) error {
		e := exportAt(found.ExportPath)
		if e.ID == "" { // nothing there speaks for itself: the log does
			e.ID, e.Project, e.Started = found.ID, found.details.Project, found.At()
			for _, v := range found.details.Export.Volumes {
				e.Volumes = append(e.Volumes, v.Name)
				e.Bytes += v.Bytes
			}
		} else if sum := found.details.Export.Manifest; e.State == render.ExportWhole && e.Manifest != sum {
			e.State, e.Why = render.ExportChanged, "its manifest is not the one that the log knows"
		}
		list = append(list, e)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, readFault(err, l)
}

// exportAt tells what lies at a path, as far as a look shows.
func exportAt(path string) render.Export {
	out := render.Export{Path: path, State: render.ExportWhole}
	e, err := archive.Open(path)
	switch {
	case archive.Incomplete(path):
		out.State = render.ExportIncomplete
		if info, err := os.Stat(path); err == nil {
			out.Started = info.ModTime().UTC().Format(time.RFC3339)
		}
		return out
	case errors.Is(err, fs.ErrNotExist):
		out.State = render.ExportMissing
		return out
	case err != nil:
		out.State, out.Why = render.ExportDamaged, err.Error()
		return out
	}
	if err := e.Look(); err != nil {
		out.State, out.Why = render.ExportDamaged, err.Error()
	}
	m := e.Manifest
	out.ID, out.Project, out.Started, out.Bytes, out.Manifest = m.EventID, m.Project, m.Started.Format(time.RFC3339), m.Bytes(), e.Sum
	for _, v := range m.Volumes {
		out.Volumes = append(out.Volumes, v.Name)
		out.Size += v.Archive.Size
	}
	return out
}

type exportsCheckCmd struct {
	Exports []string `arg:"" name:"export" completion-predictor:"file" help:"Directories of exports."`
	logFlag
}

// Run checks every archive of each export, and the manifest where the log knows
// it.
func (c exportsCheckCmd) Run(p Process, code *int) error {
	known := map[string]string{} // path -> manifest
	if l, err := p.logForReading(c.logFlag); err == nil {
		_, _ = p.eachExport(l, func(found foundExport) error { // without a log the manifests speak for themselves
			known[found.ExportPath] = found.details.Export.Manifest
			return nil
		})
	}
	for _, path := range c.Exports {
		path = filepath.Clean(p.abs(path))
		problems, err := checkExport(path, known[path])
		if err != nil {
			return &teardown.Fault{Err: err, Try: "ccdestroy exports", Code: teardown.ExitNotIntact}
		}
		if err := render.Checked(p.Stdout, path, problems, known[path] != "", p.style(p.Stdout)); err != nil {
			return err
		}
		if len(problems) > 0 {
			*code = teardown.ExitNotIntact
		}
	}
	return nil
}

func checkExport(path, manifest string) (problems []string, err error) {
	e, err := archive.Open(path)
	if err != nil {
		return nil, err
	}
	if manifest != "" && manifest != e.Sum {
		problems = append(problems, "the manifest is not the one that the log knows")
	}
	for _, v := range e.Manifest.Volumes {
		if err := e.Check(v); err != nil {
			problems = append(problems, err.Error())
		}
	}
	return problems, nil
}

// foundExport is an export that a log knows of.
type foundExport struct {
	audit.Record
	details teardown.Details
}

// At is when it was recorded.
func (f foundExport) At() string { return f.Timestamp.UTC().Format(time.RFC3339) }

func (f foundExport) open() (*archive.Export, error) {
	e, err := archive.Open(f.ExportPath)
	if err == nil {
		err = e.Look()
	}
	return e, err
}

var errEnough = errors.New("enough was seen")

// eachExport visits the operations of a log that exported something, newest
// first, until visit returns an error.
func (p Process) eachExport(l *audit.Log, visit func(foundExport) error) (audit.Scanned, error) {
	const word = "manifest_sha256"
	exported := func(_ audit.Event, line []byte) bool { return bytes.Contains(line, []byte(word)) } // Words lets more through
	return l.History(audit.Query{Words: []string{word}, Match: exported}, func(r audit.Record, _ []byte) error {
		d, err := teardown.ParseDetails(r.Event)
		if err != nil || d.Export == nil || r.ExportPath == "" {
			return nil // a script's details, of another shape
		}
		return visit(foundExport{r, d})
	})
}
