package export

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
		if engine.ID != o.Details.Engine.ID {
			return record.Ended{}, fmt.Errorf("%w: %s at %s", record.ErrOtherEngine, o.Details.Engine.Name, o.Details.Engine.Host)
		}
		o.Details.Engine.StableCreated = engine.StableCreated
		snap, err := s.Engine.Snapshot(ctx, inventory.Scope{Dead: o.LockPath()}) // which sweeps its helper away
		if err != nil {
			return record.Ended{}, err
		}
		end := record.Ended{Outcome: audit.Failed}
		e, opened := archive.Open(o.ExportPath)
		switch {
		case o.Name == audit.Export && (opened != nil || e.Manifest.EventID != o.ID):
			o.ExportPath, end.Err = "", errors.New("it was cut off: there is no export")
		case o.Name == audit.Export:
			end.Outcome, o.Details.Export = audit.Success, recordOf(e)
		case opened != nil:
			end.Err = fmt.Errorf("it was cut off: %w", opened)
		default:
			end = s.compare(ctx, o, e, snap)
		}
		if err := s.Engine.Start(ctx, o.Details.Stopped); err != nil {
			end.Err = errors.Join(end.Err, err)
		}
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
// and which of those that were to be removed are gone or were made again.
func (s Setting) compare(ctx context.Context, o *record.Operation, e *archive.Export, snap inventory.Snapshot) (end record.Ended) {
	v := inventory.Classify(o.Details.Inventory, inventory.Snapshot{}, inventory.After{Snapshot: snap, Unseen: true}, nil)
	o.Details.Resources, o.Details.LostBytes, end.Affected = v.Resources, v.LostBytes, v.Lost
	r := Restore{Setting: s, Export: e, lock: o.LockPath()}
	var err error
	if r.platform, err = s.Engine.Platform(ctx); err != nil {
		end.Outcome, end.Err = audit.Failed, fmt.Errorf("it was cut off: %w", err)
		return end
	}
	var problems, unsure []string
	for _, one := range o.Details.Restored {
		differences := r.state(ctx, one, snap)
		for _, d := range differences {
			problems = append(problems, "volume "+one.Name+d)
		}
		switch doubt := one.Replaced && slices.Contains(v.Unsure, one.Name); {
		case doubt && len(differences) > 0:
			unsure = append(unsure, one.Name)
		case doubt: // where nothing else tells two volumes of one name apart, the content does
			end.Affected = append(end.Affected, one.Name)
		}
	}
	slices.Sort(end.Affected)
	switch {
	case len(unsure) > 0:
		end.Outcome, end.Err = audit.Pending, fmt.Errorf("cannot tell whether volume %s was removed before it was cut off", strings.Join(unsure, ", "))
	case len(problems) == 0:
		end.Outcome = audit.Success
	default:
		end.Outcome, end.Err = audit.Failed, errors.New("it was cut off: "+strings.Join(problems, "; "))
		if len(end.Affected) > 0 {
			end.Outcome = audit.Partial
		}
	}
	return end
}

// state is how a volume differs from what was to be restored.
func (r *Restore) state(ctx context.Context, one record.Restored, snap inventory.Snapshot) (out []string) {
	v, there := snap.Volume(one.Name)
	from, known := r.Export.Manifest.Find(one.From)
	if !there || !known {
		return []string{" is not there"}
	}
	differences, err := r.differences(ctx, from, v)
	if err != nil {
		differences = []string{err.Error()}
	}
	for _, d := range differences {
		out = append(out, ": "+d)
	}
	return out
}

func asked(r inventory.Resource) inventory.Resource {
	r.Asked, r.Fate = true, inventory.Removed
	return r
}
