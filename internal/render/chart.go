package render

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// inks are the colours of outcomes: told apart by lightness too, and readable
// on white and on black.
var inks = []struct {
	outcome audit.Outcome
	fill    string
}{
	{audit.Success, "#3a8f5c"}, {audit.Partial, "#d08a1c"}, {audit.Failed, "#c8453b"}, {audit.Cancelled, "#8a8f98"}, {audit.Pending, "#7a6bd0"},
}

// Chart sizes, in pixels.
const (
	chartHeight = 160
	chartWidth  = 720
	widestBar   = 48.0
)

// timeChart draws bars over time, stacked by outcome. Colours and sizes are
// attributes: no style, so that a strict content policy changes nothing.
func timeChart(bars []Bar) template.HTML {
	top := 1
	for _, b := range bars {
		top = max(top, b.Total)
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg role="img" aria-labelledby="chart-title" viewBox="0 0 %d %d" width="100%%"><title id="chart-title">Operations over time; the table below has the numbers</title>`, chartWidth, chartHeight+24)
	step := min(float64(chartWidth)/float64(max(len(bars), 1)), widestBar)
	for i, b := range bars {
		y := float64(chartHeight)
		fmt.Fprintf(&s, `<g><title>%s: %d</title>`, daysOf(b), b.Total)
		for _, ink := range inks {
			h := float64(b.Counts[ink.outcome]) / float64(top) * (chartHeight - 4)
			if h == 0 {
				continue
			}
			y -= h
			fmt.Fprintf(&s, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, float64(i)*step+1, y, max(step-2, 1), h, ink.fill)
		}
		s.WriteString(`</g>`)
	}
	fmt.Fprintf(&s, `<line x1="0" y1="%d" x2="%d" y2="%d" stroke="currentColor"/>`, chartHeight, chartWidth, chartHeight)
	if n := len(bars); n > 0 {
		fmt.Fprintf(&s, `<text x="0" y="%d" font-size="12" fill="currentColor">%s</text>`, chartHeight+16, bars[0].From.Format("2006-01-02"))
		fmt.Fprintf(&s, `<text x="%.0f" y="%d" font-size="12" text-anchor="end" fill="currentColor">%s</text>`, max(step*float64(n), 150), chartHeight+16, bars[n-1].To.Format("2006-01-02"))
	}
	s.WriteString(`</svg>`)
	return template.HTML(s.String()) // numbers, dates and our own words alone
}

// daysOf is the days of a bar.
func daysOf(b Bar) string {
	from, to := b.From.Format("2006-01-02"), b.To.Format("2006-01-02")
	if from == to {
		return from
	}
	return from + " to " + to
}

// meter draws a share of the largest one beside its number.
func meter(n int, all []Share) template.HTML {
	top := 1
	for _, s := range all {
		top = max(top, s.Count)
	}
	return template.HTML(fmt.Sprintf(`<svg aria-hidden="true" width="160" height="10"><rect width="%d" height="10" fill="#4a7fb5"/></svg>`, max(1, 160*n/top)))
}

// swatch is the colour of an outcome.
func swatch(o audit.Outcome) template.HTML {
	for _, ink := range inks {
		if ink.outcome == o {
			return template.HTML(`<svg aria-hidden="true" width="10" height="10"><rect width="10" height="10" fill="` + ink.fill + `"/></svg>`)
		}
	}
	return ""
}
