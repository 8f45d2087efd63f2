package render

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
)

// added is one operation of a report.
func added(t *testing.T, r *Report, at time.Time, operation string, outcome audit.Outcome, affected []string, details map[string]any) {
	t.Helper()
	data, err := json.Marshal(details)
	if err != nil {
		t.Fatal(err)
	}
	e := audit.Event{ID: fmt.Sprintf("01KB%06d", r.Count), Timestamp: at, Operation: operation, Outcome: outcome, User: "ana", Details: data, DataAffected: affected}
	if err := r.Add(audit.Record{Event: e}, nil); err != nil {
		t.Fatal(err)
	}
}

// What destroyed nothing is not said to have destroyed something, and what was
// brought back and what can be is counted apart.
func TestReportCounts(t *testing.T) {
	r := NewReport("audit.jsonl", "", now, audit.Report{})
	r.Undoing = func(e audit.Event, d record.Details) []record.Kept { return d.Kept }
	kept := []map[string]any{{"name": "a", "until": "2026-11-30T15:05:00Z", "bytes": 700}}
	for _, one := range []struct {
		operation string
		outcome   audit.Outcome
		affected  []string
		details   map[string]any
	}{
		{"undo", audit.Success, []string{"b"}, map[string]any{"undone": []map[string]any{{"name": "b", "bytes": 300}}}},
		{"export", audit.Success, []string{"a"}, map[string]any{"bytes_lost": 5}},
		{"destroy", audit.Success, []string{"a"}, map[string]any{"bytes_lost": 700, "kept": kept}},
		{"destroy", audit.Success, []string{"b"}, map[string]any{"bytes_lost": 300}},
		{"destroy", audit.Success, nil, nil},
		{"destroy", audit.Failed, nil, map[string]any{"bytes_lost": 9}},
		{"destroy", audit.Cancelled, []string{"a"}, map[string]any{"bytes_lost": 9}},
	} {
		added(t, r, now, one.operation, one.outcome, one.affected, one.details)
	}
	if r.Count != 7 || r.Destroyed != 2 || r.Lost != 1000 || r.Back != 300 || r.CanUndo != 1 || r.Kept != 700 || len(r.Undoable) != 1 {
		t.Errorf("%d recorded, %d destroyed, %d lost, %d back, %d can be undone: %d, %d rows", r.Count, r.Destroyed, r.Lost, r.Back, r.CanUndo, r.Kept, len(r.Undoable))
	}
}

// However many bars there are, they fill the width and stay within it, and none is
// higher than the scale.
func TestChartsFillTheirWidth(t *testing.T) {
	rect := regexp.MustCompile(`<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"`)
	for _, days := range []int{1, 2, 6, 7, 8, 48, 49, 400} {
		r := NewReport("audit.jsonl", "", now, audit.Report{})
		for d := range days {
			added(t, r, now.AddDate(0, 0, -d), "destroy", audit.Success, []string{"a"}, map[string]any{"bytes_lost": 1000 * (d + 1)})
		}
		bars := r.Bars()
		if len(bars) < min(days, reportFewest) || len(bars) > reportBars+1 {
			t.Errorf("%d days: %d bars", days, len(bars))
		}
		for name, chart := range map[string]string{"counts": string(countChart(bars)), "losses": string(lossChart(bars))} {
			right := 0.0
			for _, m := range rect.FindAllStringSubmatch(chart, -1) {
				var n [4]float64
				for i := range n {
					n[i], _ = strconv.ParseFloat(m[i+1], 64)
				}
				right = max(right, n[0]+n[2])
				if n[0] < chartLeft || n[1] < 7.9 || n[3] <= 0 || n[1]+n[3] > chartHeight+8.1 {
					t.Errorf("%d days, %s: %v", days, name, n)
				}
			}
			if right < chartLeft+chartWidth-3 || right > chartLeft+chartWidth {
				t.Errorf("%d days, %s: the last bar ends at %.1f", days, name, right)
			}
			if strings.Contains(chart, "NaN") || strings.Contains(chart, "Inf") {
				t.Errorf("%d days, %s: %s", days, name, chart)
			}
		}
	}
	if string(lossChart([]Bar{{Counts: map[audit.Outcome]int{}}})) == "" {
		t.Error("no chart of nothing")
	}
}
