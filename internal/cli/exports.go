package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
)

type exportsCmd struct {
	List  exportsListCmd  `cmd:"" signals:"end" settings:"reads" default:"withargs" help:"List the exports in the log, or in a directory (default command)."`
	Check exportsCheckCmd `cmd:"" signals:"end" settings:"reads" help:"Verify every hash of an export; exits 7 if something is wrong."`
}

// shelf is where the exports of a log lie: below the working directory, the
// project's, one that was named, or a directory that belongs to this account.
func (p Process) shelf(l *audit.Log, named string) export.Shelf {
	return export.Shelf{Log: l, Dirs: func(path string) []string {
		dirs := []string{filepath.Dir(filepath.Dir(l.Path))}
		if p.Dir != "" {
			dirs = append(dirs, p.Dir)
		}
		if named != "" {
			dirs = append(dirs, p.abs(named))
		}
		if parent := filepath.Dir(path); durable.OurDir(parent) {
			dirs = append(dirs, parent)
		}
		return dirs
	}}
}

// lastExports finds the newest exports of volumes in the log of a book.
func (p Process) lastExports(named string) func(*record.Book, []string) map[string]inventory.LastExport {
	return func(b *record.Book, volumes []string) map[string]inventory.LastExport {
		return p.shelf(b.Log, named).Last(b, volumes)
	}
}

type exportsListCmd struct {
	Format string `enum:"table,json" default:"table" help:"table or json."`
	Dir    string `arg:"" optional:"" name:"directory" completion-predictor:"file" help:"Directory of exports (default: those in the log)."`
	logFlag
}

// Run lists, newest first.
func (c exportsListCmd) Run(p Process) error {
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	var list []archive.Found
	if c.Dir != "" {
		if info, err := os.Stat(p.abs(c.Dir)); err != nil || !info.IsDir() {
			return fault.Usage("ccdestroy exports", "%q is not a directory", c.Dir)
		}
		list, err = export.In(p.abs(c.Dir))
	} else {
		list, err = p.shelf(l, "").List()
		p.warnHead(l)
	}
	if err != nil {
		return record.ReadFault(err, l)
	}
	if c.Format == "json" {
		return render.ExportsJSON(p.Stdout, list)
	}
	return render.Exports(p.Stdout, list, p.Now(), p.style(p.Stdout))
}

// noExport is why a directory could not be opened as an export. Many name the
// directory above it.
func noExport(dir string, err error, code int) error {
	if info, stat := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && stat == nil && info.IsDir() {
		return &fault.Fault{Err: fmt.Errorf("%q is not an export: it has no manifest.json", dir), Try: called("exports", dir), Code: code}
	}
	return &fault.Fault{Err: err, Try: "ccdestroy exports", Code: code}
}

type exportsCheckCmd struct {
	Exports []string `arg:"" name:"export" completion-predictor:"export" help:"Directories of exports."`
	logFlag
}

// Run checks every archive of each export, and the manifest where the log knows
// it.
func (c exportsCheckCmd) Run(ctx context.Context, p Process, code *int) error {
	known := map[string]string{}
	if l, err := p.logForReading(c.logFlag); err == nil {
		known = p.shelf(l, "").Manifests()
	}
	for _, path := range c.Exports {
		path = filepath.Clean(p.abs(path))
		problems, err := export.Check(ctx, path, known[path])
		if err != nil {
			return noExport(path, err, fault.ExitNotIntact)
		}
		if err := render.Checked(p.Stdout, path, problems, known[path] != "", p.style(p.Stdout)); err != nil {
			return err
		}
		if len(problems) > 0 {
			*code = fault.ExitNotIntact
		}
	}
	return nil
}
