package render

import (
	"fmt"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// KeepLines say what of an inventory can be brought back, a sentence each.
func KeepLines(inv inventory.Inventory, style Style) (lines []string) {
	k := inv.Keep
	if k == nil {
		return nil
	}
	if n := len(k.Volumes); n > 0 {
		them, which := "them", ""
		if n == 1 {
			them = "it"
		}
		if len(k.Not) > 0 {
			which = ", " + count(n, "volume")
		}
		lines = append(lines, fmt.Sprintf("Kept for %s%s: %s brings %s back.", span(k.For), which, style.command("undo"), them))
	}
	for i, not := range k.Not {
		if i == listed {
			lines = append(lines, fmt.Sprintf("Not kept: … and %d more", len(k.Not)-listed))
			break
		}
		lines = append(lines, Terminal(fmt.Sprintf("Not kept: volume %s: %s", not.Name, not.Why)))
	}
	if k.Why != "" {
		lines = append(lines, Terminal("Not kept: "+k.Why))
	}
	if len(k.Not) > 0 || k.Why != "" {
		lines = append(lines, "To save what is not kept: "+style.command("--export", "DIR"))
	}
	return lines
}

// span is "7 days", or "36h0m0s" where it is no whole number of days.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d%day == 0:
		return count(int(d/day), "day")
	case d%time.Hour == 0:
		return count(int(d/time.Hour), "hour")
	}
	return d.String()
}

// undoLine says until when what was destroyed can be brought back, or "".
func undoLine(kept []record.Kept, style Style) string {
	until := Until(kept)
	if until.IsZero() {
		return ""
	}
	return fmt.Sprintf("Undo until %s: %s\n", until.Local().Format("2 Jan 15:04"), style.command("undo"))
}

// Until is until when the first of the volumes is kept; zero where there is none.
func Until(kept []record.Kept) (until time.Time) {
	for _, k := range kept {
		if t, err := time.Parse(time.RFC3339, k.Until); err == nil && (until.IsZero() || t.Before(until)) {
			until = t
		}
	}
	return until
}
