package export

import (
	"context"
	"errors"
	"strings"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Settler settles exports and restores that were cut off, and starts again what
// an export had stopped.
func Settler(s Setting) record.Settler {
	return func(ctx context.Context, o *record.Operation) (record.Ended, error) {
		engine, err := s.Engine.Describe(ctx)
		if err != nil {
			return record.Ended{}, err
		}
		if err := o.On(engine); err != nil {
			return record.Ended{}, err
		}
		if err := s.Engine.Sweep(ctx, o.LockPath()); err != nil {
			return record.Ended{}, err
		}
		o.Details.Engine.StableCreated = engine.StableCreated
		end := record.Ended{Outcome: audit.Failed}
		e, opened := archive.Open(o.ExportPath)
		switch {
		case o.Name == audit.Export && (opened != nil || e.Manifest.EventID != o.ID):
			o.ExportPath, end.Err = "", errors.New("it was cut off: there is no export")
		case o.Name == audit.Export:
			end.Outcome, o.Details.Export = audit.Success, recordOf(e)
		default:
			if opened != nil {
				e = nil
			}
			if end, err = s.compare(ctx, o, e, opened); err != nil {
				return end, err
			}
		}
		snap, err := s.Engine.Snapshot(ctx, inventory.Scope{})
		if err == nil {
			err = s.Engine.Start(ctx, o.Details.Stopped)
		}
		if err != nil {
			end.Err = errors.Join(end.Err, err)
			return end, nil
		}
		end.Again = snap.Halted(o.Details.Stopped)
		return end, nil
	}
}

func recordOf(e *archive.Export) *record.Export {
	out := &record.Export{Path: e.Dir, Manifest: e.Sum}
	for _, v := range e.Manifest.Volumes {
		out.Volumes = append(out.Volumes, record.Exported{Name: v.Name, Bytes: v.Content.Bytes, SHA256: v.Archive.SHA256})
	}
	return out
}

// compare tells how the volumes that were to be restored differ from the export,
// and which of those that were to be removed are gone or were made again. Where
// the export is gone, opened says why. An error says that the engine
// could not be asked.
func (s Setting) compare(ctx context.Context, o *record.Operation, e *archive.Export, opened error) (record.Ended, error) {
	end := record.Ended{Outcome: audit.Failed}
	a := access{engine: s.Engine, lock: o.LockPath()}
	snap, err := s.Engine.Snapshot(ctx, inventory.Scope{})
	if err == nil {
		a.platform, err = s.Engine.Platform(ctx)
	}
	if err != nil {
		return end, err
	}
	var problems, unsure []string
	for _, one := range o.Details.Restored {
		v, there := snap.Volume(one.Name)
		differences := []string{"it does not exist"}
		if there {
			if differences, err = a.whatDiffers(ctx, e, one, v, opened); err != nil {
				return end, err
			}
		}
		for _, d := range differences {
			problems = append(problems, "volume "+one.Name+": "+d)
		}
		replaced, known := true, true
		if there {
			replaced, known = isReplaced(o.Details.Inventory, v)
		}
		switch {
		case one.Replaced && (len(differences) == 0 || replaced):
			end.Affected = append(end.Affected, one.Name)
		case one.Replaced && !known:
			unsure = append(unsure, one.Name)
		}
	}
	switch {
	case len(unsure) > 0:
		end.Outcome, end.Err = audit.Pending, record.Unsure(unsure)
	case len(problems) == 0:
		end.Outcome = audit.Success
	default:
		end.Err = errors.New("it was cut off: " + strings.Join(problems, "; "))
		if len(end.Affected) > 0 {
			end.Outcome = audit.Partial
		}
	}
	return end, nil
}

// whatDiffers is how a volume that is there differs from the export, or why that
// cannot be said for good. An error is the engine's.
func (a access) whatDiffers(ctx context.Context, e *archive.Export, one record.Restored, is inventory.Volume, opened error) ([]string, error) {
	if opened != nil {
		return []string{opened.Error()}, nil
	}
	from, known := e.Manifest.Find(one.From)
	if !known {
		return []string{"it is not in the export"}, nil
	}
	if err := e.Check(ctx, from); ctx.Err() != nil {
		return nil, ctx.Err()
	} else if err != nil {
		return []string{err.Error()}, nil
	}
	return a.differences(ctx, e, from, is)
}

// isReplaced reports whether a volume is certainly not the one that the
// pending event names, and whether that is known.
func isReplaced(before inventory.Inventory, now inventory.Volume) (replaced, known bool) {
	for _, r := range before.Resources {
		if r.Kind == inventory.KindVolume && r.Name == now.Name {
			return inventory.Replaced(r, now.Resource(), before.Engine)
		}
	}
	return true, true
}

func asked(r inventory.Resource) inventory.Resource {
	r.Asked, r.Fate = true, inventory.Removed
	return r
}
