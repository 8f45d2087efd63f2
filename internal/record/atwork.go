package record

import (
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
)

// Lives reports whether the operation of a pending event in a log is at work: its
// lock is held, or the process that the event names runs. Of one that is not, the
// outcome is in the log by now, unless it was cut off.
func Lives(l *audit.Log, pending audit.Event) bool {
	if path, err := (&Book{Log: l}).lockOf(pending.ID); err == nil {
		if held, err := durable.Held(path); err == nil && held {
			return true
		}
	}
	d, err := ParseDetails(pending)
	return err == nil && d.RecordedBy == "" && stillRuns(d.Actor)
}

// Locks are the ids of the operations of a log that have a lock file: those at
// work, and those that were cut off.
func Locks(l *audit.Log) (ids []string) { return (&Book{Log: l}).locked() }
