package render

import (
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

func parsed(r audit.Record) record.Details {
	d, _ := record.ParseDetails(r.Event) // which told has made
	return d
}

// asked is an inventory with something of every kind that stays and goes.
func asked() inventory.Inventory {
	inv := sample()
	inv.Fallback = "yaml: line 3: mapping values are not allowed in this context, in the file /src/shop/compose.yaml"
	inv.Runs = []string{"provider of service cloud: awesomecloud", "pre_stop hook of service db: pg_dumpall --clean --file /backup/all.sql --host db --username postgres"}
	inv.Keep = &inventory.Keep{For: 7 * 24 * time.Hour, Volumes: []string{"shop_pgdata"}, Not: []inventory.Unkept{{Name: "shop_up", Why: "its driver nfs-with-a-long-name keeps the data on another machine"}}}
	inv.Resources = append(inv.Resources,
		inventory.Resource{Kind: "volume", Name: "shop_orders", Asked: true, Fate: "kept", Size: &inventory.Size{Bytes: 315_000_000}, Reason: `held by container "other" (not of this project), which mounts it at /var/lib/postgresql/data`},
		inventory.Resource{Kind: "volume", Name: "shop_guarded", Asked: true, Fate: "removed", Protected: true, Protection: "the label ccdestroy.protect=true", Size: &inventory.Size{Bytes: 1000}},
		inventory.Resource{Kind: "volume", Name: "shop_jobs", Fate: "kept", Reason: "profile worker is not active"},
		inventory.Resource{Kind: "bind", Name: "/src/shop/docs", Fate: "kept", Reason: "bind mount: files of this host"},
		inventory.Resource{Kind: "container", Name: "shop-a-service-with-a-long-name-1", Asked: true, Fate: "removed"},
		inventory.Resource{Kind: "container", Name: "shop-another-service-with-a-long-name-1", Asked: true, Fate: "removed"},
	)
	return inv
}

// partly is an ending with every kind of holder.
func partly() record.Ending {
	e := record.Ending{ID: "01KB3Z8A0C4T9Q2M7V5X1B6N8D", Inventory: sample(), Duration: 3 * time.Second, Code: 3, Outcome: audit.Partial,
		Program: []string{"ccdestroy"}, Args: []string{"-p", "shop"}, Saved: "/src/shop/it's"}
	e.Verdict = inventory.Verdict{
		LostBytes: 2200000000, Lost: []string{"shop_pgdata"}, Went: true,
		Resources: []inventory.Resource{{Kind: "volume", Result: "gone"}, {Kind: "container", Result: "gone"}},
		Remaining: []inventory.Resource{
			{Kind: "volume", Name: "shop_cache", Reason: "in use by psql-debug", HeldBy: []string{"psql-debug"}},
			{Kind: "volume", Name: "shop_jobs", Reason: "in use by shop-worker-1", HeldBy: []string{"shop-worker-1"}},
			{Kind: "volume", Name: "shop_old", Reason: "anonymous"},
		},
		Unforeseen: []string{"shop_late"},
		Holders: []inventory.Holder{
			{Container: "psql-debug", Holds: []string{"shop_cache"}},
			{Container: "other-db-1", Project: "other", Holds: []string{"shop_cache", "shop_jobs"}},
			{Container: "shop-worker-1", Project: "shop", Ours: true, Profiles: []string{"worker"}, Holds: []string{"shop_jobs"}},
		},
	}
	return e
}

// ended is how the same teardown could have ended otherwise.
func ended(outcome audit.Outcome, code int, change func(*record.Ending)) func(io.Writer, Style) error {
	e := partly()
	e.Outcome, e.Code, e.Saved = outcome, code, ""
	e.Verdict.Remaining, e.Verdict.Holders = nil, nil
	if change != nil {
		change(&e)
	}
	return func(w io.Writer, style Style) error { return Ending(w, e, style) }
}

func TestTeardownFits(t *testing.T) {
	time.Local = time.UTC
	kept := []record.Kept{{Name: "shop_pgdata", Until: "2026-11-30T15:05:06Z", Bytes: 1_800_000_000}}
	for name, write := range map[string]func(io.Writer, Style) error{
		"inventory": func(w io.Writer, style Style) error { return Inventory(w, asked(), now, style) },
		"inventory-long": func(w io.Writer, style Style) error {
			inv := sample()
			for i := range inv.Resources[:2] {
				inv.Resources[i].Name += "_of_a_project_with_a_long_name_on_a_branch"
				inv.Resources[i].UsedBy = []string{"shop-db-1", "shop-replica-of-the-db-1"}
			}
			return Inventory(w, inv, now, style)
		},
		"inventory-nothing": func(w io.Writer, style Style) error {
			return Inventory(w, inventory.Inventory{Project: "shop", Mode: inventory.Labels, Engine: inventory.Engine{Host: "unix:///var/run/docker.sock", Version: "29.2.0", Local: true}}, now, style)
		},
		"inventory-can-undo": func(w io.Writer, style Style) error {
			return CanUndo(w, records(t)[2].Event, kept, now, style)
		},
		"ended-success":   ended(audit.Success, 0, func(e *record.Ending) { e.Kept = kept }),
		"ended-exported":  ended(audit.Success, 0, func(e *record.Ending) { e.Saved = "/src/shop/backups/shop-20261123T101500Z" }),
		"ended-partial":   func(w io.Writer, style Style) error { return Ending(w, partly(), style) },
		"ended-cancelled": ended(audit.Cancelled, 130, func(e *record.Ending) { e.Exit.Signal = syscall.SIGINT; e.Verdict = inventory.Verdict{} }),
		"ended-failed":    ended(audit.Failed, 1, func(e *record.Ending) { e.Verdict = partly().Verdict; e.Verdict.Went = false; e.Verdict.Lost = nil }),
		"ended-unknown":   ended(audit.Pending, 1, nil),
		"ended-unsure": ended(audit.Pending, 1, func(e *record.Ending) {
			e.Unknown = errors.New("cannot tell whether volume shop_pgdata was destroyed and made again")
		}),
		"pruned-unknown": func(w io.Writer, style Style) error {
			return Pruned(w, audit.Pending, inventory.Verdict{}, nil, "01KB3Z8A0C4T9Q2M7V5X1B6N8D", time.Second, style)
		},
		"ended-unrecorded": ended(audit.Success, 1, func(e *record.Ending) {
			e.Unrecorded = errors.New("write /src/shop/.contextcore/audit.jsonl: no space left on device")
		}),
		"ended-settled": ended(audit.Success, 1, func(e *record.Ending) { e.Unrecorded = audit.ErrEnded }),
		"ended-with-errors": ended(audit.Success, 0, func(e *record.Ending) {
			e.Exit = fault.Exit{Code: 1}
			e.Verdict.Unforeseen = []string{"shop_late_and_of_a_very_long_name_that_nobody_foresaw"}
		}),
		"pruned-partial": func(w io.Writer, style Style) error {
			return Pruned(w, audit.Partial, partly().Verdict, kept, "01KB3Z8A0C4T9Q2M7V5X1B6N8D", time.Second, style)
		},
	} {
		fits(t, name, write)
	}
}

func TestExportFits(t *testing.T) {
	time.Local = time.UTC
	m := archive.Manifest{Project: "shop", EventID: "01KB3Z8A0C4T9Q2M7V5X1B6N8D", Volumes: []archive.Volume{
		{Name: "shop_pgdata", Consistency: archive.Live, Content: archive.Content{Bytes: 1_100_000_000, Skipped: []archive.Skipped{{What: "/run/a.sock", Why: "a socket"}}}},
		{Name: "shop_uploads", Consistency: archive.Live, Content: archive.Content{Bytes: 1_100_000_000, Skipped: []archive.Skipped{{What: "sockets", Count: 3, Why: "they exist only while their program runs, and are made anew by it"}}}},
	}}
	list := []archive.Found{{Path: "/src/shop/backups/shop-20261123T101500Z", ID: m.EventID, Project: "shop", State: archive.StateComplete, Bytes: 2_200_000_000, Started: now.Add(-time.Hour), Volumes: []string{"shop_pgdata", "shop_uploads", "shop_cache", "shop_queue", "shop_mail"}}}
	names := []string{"shop_pgdata", "shop_uploads", "shop_cache", "shop_queue", "shop_mail", "shop_search"}
	for name, write := range map[string]func(io.Writer, Style) error{
		"exported": func(w io.Writer, style Style) error { return Exported(w, m, 3*time.Second, style) },
		"exports":  func(w io.Writer, style Style) error { return Exports(w, list, now, style) },
		"restored": func(w io.Writer, style Style) error {
			return Restored(w, "01M8KKD8BSVZ3M1QJ5Q0000000", names, []string{"shop_pgdata: base/PG_VERSION: the owner is 0, not 999: the file system does not keep owners"}, 3*time.Second, style)
		},
		"checked": func(w io.Writer, style Style) error {
			return Checked(w, list[0].Path, []string{"volumes/shop_pgdata.tar.zst: the archive is not what the manifest says: its SHA-256 is another"}, false, style)
		},
	} {
		fits(t, name, write)
	}
}

func TestTrashFits(t *testing.T) {
	time.Local = time.UTC
	kept := []record.Kept{
		{Name: "shop_pgdata", Until: "2026-11-30T15:05:06Z", Bytes: 1_800_000_000, Operation: "01KB3ZB6YB0000000000000003"},
		{Name: "shop_uploads", As: "rescue", Until: "2026-11-30T15:05:06Z", Operation: "01KB3ZB6YB0000000000000003"},
	}
	held := []Held{{Kept: kept[0], Project: "shop", User: "ana", Since: now.Add(-time.Hour)}, {Kept: kept[1], Error: "entry.json: unexpected end of JSON input"}}
	was := record.Details{Inventory: inventory.Inventory{Project: "shop"}, Command: []string{"docker", "compose", "-p", "shop", "-f", "/src/shop/compose.yaml", "down", "-v"}}
	for name, write := range map[string]func(io.Writer, Style) error{
		"trash":       func(w io.Writer, style Style) error { return Trash(w, held, now, style) },
		"trash-purge": func(w io.Writer, style Style) error { return ToPurge(w, kept, style) },
		"trash-purged": func(w io.Writer, style Style) error {
			return PurgeDone(w, audit.Success, kept, kept[0].Operation, time.Second, style)
		},
		"undone": func(w io.Writer, style Style) error {
			return Undone(w, audit.Success, kept[:1], was, kept[0].Operation, time.Second, style)
		},
		"undone-as": func(w io.Writer, style Style) error {
			return Undone(w, audit.Success, kept[1:], was, kept[0].Operation, time.Second, style)
		},
		"undone-none": func(w io.Writer, style Style) error {
			return Undone(w, audit.Failed, nil, was, kept[0].Operation, time.Second, style)
		},
	} {
		fits(t, name, write)
	}
}
