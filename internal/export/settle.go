package export

import (
	"context"
	"errors"
	"fmt"
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
			end = s.compare(ctx, o, e)
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
func (s Setting) compare(ctx context.Context, o *record.Operation, e *archive.Export) record.Ended {
	end := record.Ended{Outcome: audit.Failed}
	r := Restore{Setting: s, Export: e, lock: o.LockPath()}
	snap, err := s.Engine.Snapshot(ctx, inventory.Scope{})
	if err == nil {
		r.platform, err = s.Engine.Platform(ctx)
	}
	if err != nil {
		end.Err = fmt.Errorf("it was cut off: %w", err)
		return end
	}
	var problems []string
	for _, one := range o.Details.Restored {
		v, there := snap.Volume(one.Name)
		from, known := e.Manifest.Find(one.From)
		if !there || !known {
			problems = append(problems, "volume "+one.Name+" is not there")
			if one.Replaced && !there {
				end.Affected = append(end.Affected, one.Name)
			}
			continue
		}
		differences, err := r.differences(ctx, from, v)
		if err != nil {
			differences = []string{err.Error()}
		}
		for _, d := range differences {
			problems = append(problems, "volume "+one.Name+": "+d)
		}
		if one.Replaced && (len(differences) == 0 || replaced(o.Details.Inventory, v)) {
			end.Affected = append(end.Affected, one.Name)
		}
	}
	switch {
	case len(problems) == 0:
		end.Outcome = audit.Success
	default:
		end.Err = errors.New("it was cut off: " + strings.Join(problems, "; "))
		if len(end.Affected) > 0 {
			end.Outcome = audit.Partial
		}
	}
	return end
}

// replaced reports whether a volume is surely another than the one that the
// pending event names.
func replaced(before inventory.Inventory, now inventory.Volume) bool {
	changes := inventory.Changes(before, inventory.Inventory{Engine: before.Engine, Resources: []inventory.Resource{asked(now.Resource())}})
	return len(changes) > 0
}

func asked(r inventory.Resource) inventory.Resource {
	r.Asked, r.Fate = true, inventory.Removed
	return r
}
