package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/export"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// exportsName is where exports lie below a project directory when nobody says
// otherwise.
const exportsName = "exports"

// exportsDir is the default directory for exports of a project.
func (p Process) exportsDir(project string) string {
	return filepath.Join(project, filepath.Dir(audit.DefaultPath), exportsName)
}

type exportCmd struct {
	projectFlags
	Output  string   `fixed:"" short:"o" placeholder:"DIR" completion-predictor:"file" group:"ours" help:"Directory to put the export into (default: .contextcore/exports in the project directory)."`
	Stop    bool     `group:"ours" help:"Stop the containers that use the volumes meanwhile, and start them again."`
	Quiet   bool     `short:"q" group:"ours" help:"Do not show how far it is."`
	Reason  string   `placeholder:"TEXT" group:"ours" help:"Why; kept in the record."`
	Volumes []string `arg:"" optional:"" name:"volume" completion-predictor:"volume" help:"Volumes, by name or by key in the Compose files; none means all that a teardown would destroy."`
	logFlag
}

// Run exports. Standard output gets the directory of the export.
func (c exportCmd) Run(ctx context.Context, p Process) error {
	client, err := p.engine(c.projectFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	inv, volumes, err := c.find(ctx, p, daemon{client})
	if err != nil {
		return err
	}
	if len(volumes) == 0 {
		p.say("Nothing to export for %s", inv.Project)
		return nil
	}
	inv.Dir = cmp.Or(inv.Dir, p.Dir)
	l := p.logIn(c.logFlag, inv.Dir)
	p.warnHead(l)
	output := p.exportsDir
	if c.Output != "" {
		output = func(string) string { return p.abs(c.Output) }
	}
	user, actor, _ := p.who()
	run := export.Run{
		Writer:    export.Writer{Setting: p.setting(daemon{client}, c.Quiet), Dir: output, Live: !c.Stop},
		Entry:     p.entry(l, audit.Export, user, actor, c.Reason),
		Inventory: inv, Volumes: volumes, Pause: c.Stop, Signals: p.Signals,
	}
	began := p.Now()
	saved, err := run.Do(ctx)
	if err != nil {
		return err
	}
	e, err := archive.Open(saved.Path)
	if err != nil {
		return err
	}
	if err := render.Exported(p.Stderr, e.Manifest, p.Now().Sub(began), p.style(p.Stderr)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.Stdout, saved.Path)
	return err
}

// entry is the record of an operation that begins now.
func (p Process) entry(l teardown.Recorder, operation, user string, actor []byte, reason string) teardown.Entry {
	return teardown.Entry{
		ID: newID(p.Now()), Operation: operation, User: user, Log: l, Now: p.Now,
		Note:    func(text string) { p.say("ccdestroy: %s", text) },
		Details: teardown.Details{Tool: "ccdestroy " + version(), Actor: actor, Why: reason, Command: append([]string{"ccdestroy"}, p.Args...)},
	}
}

// find resolves the project and what is to be exported of it. Volumes that are
// named need no project.
func (c exportCmd) find(ctx context.Context, p Process, d daemon) (teardown.Inventory, []teardown.Volume, error) {
	inv, err := teardown.Look(ctx, p.compose(c.args()), d, teardown.Options{Volumes: true}, nil, sizesForInventory)
	if err != nil && len(c.Volumes) == 0 {
		return inv, nil, err
	}
	noProject := err != nil
	snap, err := d.Snapshot(ctx, false)
	if err != nil {
		return inv, nil, err
	}
	if inv.Engine, err = d.Describe(ctx); err != nil {
		return inv, nil, err
	}
	var volumes []teardown.Volume
	for _, name := range c.names(inv) {
		i := slices.IndexFunc(snap.Volumes, func(v teardown.Volume) bool { return v.Name == name })
		if i < 0 {
			return inv, nil, &teardown.Fault{Err: fmt.Errorf("volume %q: there is none of this name", name), Try: "ccdestroy inventory, or docker volume ls", Code: teardown.ExitUsage}
		}
		volumes = append(volumes, snap.Volumes[i])
	}
	if noProject {
		inv.Project = volumes[0].Labels[teardown.LabelProject]
		if inv.Project == "" {
			inv.Project = "volumes"
		}
	}
	sizes := map[string]*teardown.Size{}
	for _, r := range inv.Resources {
		if r.Kind == teardown.KindVolume {
			sizes[r.Name] = r.Size
		}
	}
	inv.Resources = nil
	for _, v := range volumes {
		r := v.Resource()
		r.Fate, r.Size = teardown.Kept, sizes[v.Name]
		inv.Resources = append(inv.Resources, r)
	}
	return inv, volumes, nil
}

// names are the engine's names of the volumes that are meant, each once.
func (c exportCmd) names(inv teardown.Inventory) (names []string) {
	if len(c.Volumes) == 0 {
		return inv.AskedVolumes()
	}
	for _, word := range c.Volumes {
		name := word
		for _, r := range inv.Resources {
			if r.Kind == teardown.KindVolume && (r.Key == word && name == word || r.Name == word) {
				name = r.Name
			}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// lastExports finds the newest exports of volumes in a project's log. It reads
// all of the log, through all segments, where one of them was never exported: a
// limit would turn "never" into "perhaps", and refuse for ever where an export
// is required. A search of 1 GiB takes a quarter of a second.
func (p Process) lastExports(f logFlag) func(string, []string) map[string]teardown.LastExport {
	return func(dir string, volumes []string) map[string]teardown.LastExport {
		l := p.logIn(f, dir)
		out := map[string]teardown.LastExport{}
		scanned, err := p.eachExport(l, func(found foundExport) error {
			for _, v := range found.details.Export.Volumes {
				if _, newer := out[v.Name]; slices.Contains(volumes, v.Name) && !newer {
					_, err := found.open()
					out[v.Name] = teardown.LastExport{At: found.At(), Path: found.ExportPath, There: err == nil}
				}
			}
			if len(out) == len(volumes) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) || scanned.Missing != "" {
			return out // enough was seen, or not all could be: of others nothing is known
		}
		for _, name := range volumes {
			if _, found := out[name]; !found {
				out[name] = teardown.LastExport{} // never
			}
		}
		return out
	}
}
