package export

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// Settle finds the outcome of an export or a restore that was cut off, starts
// again what it had stopped, and records it.
func Settle(ctx context.Context, pending audit.Event, s Setting, log teardown.Recorder) (audit.Outcome, error) {
	details, err := teardown.ParseDetails(pending)
	if err != nil {
		return "", fmt.Errorf("details of %s: %w", pending.ID, err)
	}
	engine, err := s.Engine.Describe(ctx)
	if err != nil {
		return "", err
	}
	if engine.ID != details.Engine.ID {
		return "", fmt.Errorf("%w: %s at %s", teardown.ErrOtherEngine, details.Engine.Name, details.Engine.Host)
	}
	if _, err := s.Engine.Snapshot(ctx, false); err != nil { // which sweeps the helper away
		return "", err
	}
	if err := s.Engine.Start(ctx, details.Stopped); err != nil {
		details.Error = err.Error()
	}
	event := audit.Event{ID: pending.ID, Operation: pending.Operation, User: pending.User, Outcome: audit.Failed, ExportPath: pending.ExportPath}
	e, err := archive.Open(pending.ExportPath)
	switch {
	case pending.Operation == audit.Export && (err != nil || e.Manifest.EventID != pending.ID):
		event.ExportPath, details.Error = "", "it was cut off: there is no export"
	case pending.Operation == audit.Export:
		event.Outcome = audit.Success
		details.Export = recordOf(e)
	case err == nil:
		if event.DataAffected, err = s.compare(ctx, pending.ID, e, details.Restored); err == nil {
			event.Outcome = audit.Success
		}
		fallthrough
	default:
		if err != nil {
			details.Error = "it was cut off: " + err.Error()
		}
	}
	details.Settled = "reconcile"
	event.Details, event.Timestamp = details.Encode(), s.Now()
	_, err = log.Append(ctx, event, 0)
	return event.Outcome, err
}

func recordOf(e *archive.Export) *teardown.Export {
	out := teardown.Export{Path: e.Dir, Manifest: e.Sum}
	for _, v := range e.Manifest.Volumes {
		out.Volumes = append(out.Volumes, teardown.Exported{Name: v.Name, Bytes: v.Content.Bytes, SHA256: v.Archive.SHA256})
	}
	return &out
}

// compare tells as an error how the volumes that were to be restored differ from
// the export, and which of those that were to be removed are gone or were made
// again.
func (s Setting) compare(ctx context.Context, id string, e *archive.Export, restored []teardown.Restored) (lost []string, err error) {
	snap, err := s.Engine.Snapshot(ctx, false)
	if err != nil {
		return nil, err
	}
	var problems []string
	r := Restore{Setting: s, Entry: teardown.Entry{ID: id}, Export: e}
	if r.platform, err = s.Engine.Platform(ctx); err != nil {
		return nil, err
	}
	for _, one := range restored {
		i := slices.IndexFunc(snap.Volumes, func(v teardown.Volume) bool { return v.Name == one.Name })
		from, known := e.Manifest.Find(one.From)
		if i < 0 || !known {
			problems = append(problems, "volume "+one.Name+" is not there")
			if one.Replaced && i < 0 {
				lost = append(lost, one.Name)
			}
			continue
		}
		differences, err := r.differences(ctx, from, snap.Volumes[i])
		if err != nil {
			differences = []string{err.Error()}
		}
		for _, d := range differences {
			problems = append(problems, "volume "+one.Name+": "+d)
		}
		if one.Replaced && len(differences) == 0 {
			lost = append(lost, one.Name)
		}
	}
	if len(problems) > 0 {
		return lost, fmt.Errorf("%s", strings.Join(problems, "; "))
	}
	return lost, nil
}
