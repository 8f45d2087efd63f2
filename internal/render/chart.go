package render

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// inks are the colours of outcomes: they differ in lightness too, and are readable
// on white and on black.
var inks = []struct {
	outcome audit.Outcome
	fill    string
}{
	{audit.Success, "#3a8f5c"}, {audit.Partial, "#d08a1c"}, {audit.Failed, "#c8453b"}, {audit.Cancelled, "#8a8f98"}, {audit.Pending, "#7a6bd0"},
}

// lossInk is the colour of what was lost.
const lossInk = "#4a7fb5"

// Chart sizes, in pixels.
const (
	chartHeight = 140
	chartWidth  = 720
	chartLeft   = 64 // for the numbers of the scale
	barGap      = 2.0
)

// stack is a part of a bar.
type stack struct {
	value float64
	fill  string
}

// countChart draws operations over time, stacked by outcome.
func countChart(bars []Bar) template.HTML {
	return timeChart("count", "Operations", bars, func(b Bar) (parts []stack) {
		for _, ink := range inks {
			parts = append(parts, stack{float64(b.Counts[ink.outcome]), ink.fill})
		}
		return parts
	}, func(v float64) string { return fmt.Sprintf("%.0f", v) }, wholeScale)
}

// lossChart draws the bytes lost over time, under the same bars.
func lossChart(bars []Bar) template.HTML {
	return timeChart("loss", "Data lost", bars, func(b Bar) []stack { return []stack{{float64(b.Lost), lossInk}} },
		func(v float64) string { return human(int64(v)) }, byteScale)
}

// timeChart draws bars over time that fill the width. Colours and sizes are
// attributes: no style, so that a strict content policy changes nothing.
func timeChart(id, what string, bars []Bar, parts func(Bar) []stack, text func(float64) string, scale func(float64) float64) template.HTML {
	sum := func(b Bar) (total float64) {
		for _, p := range parts(b) {
			total += p.value
		}
		return total
	}
	top := 0.0
	for _, b := range bars {
		top = max(top, sum(b))
	}
	top = scale(top)
	var s strings.Builder
	fmt.Fprintf(&s, `<svg role="img" aria-labelledby="%s-title" viewBox="0 0 %d %d" width="100%%"><title id="%s-title">%s over time; the table below has the numbers</title>`,
		id, chartLeft+chartWidth, chartHeight+30, id, what)
	for _, share := range []float64{1, 0.5, 0} {
		y := 8 + chartHeight*(1-share)
		fmt.Fprintf(&s, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="currentColor" stroke-opacity="%.1f"/>`, chartLeft, y, chartLeft+chartWidth, y, 0.2+0.6*(1-min(1, share*9)))
		if half := top * share; id == "count" && half != float64(int(half)) {
			continue // there is no half operation
		}
		fmt.Fprintf(&s, `<text x="%d" y="%.1f" font-size="12" text-anchor="end" fill="currentColor">%s</text>`, chartLeft-6, y+4, text(top*share))
	}
	step := float64(chartWidth) / float64(max(len(bars), 1))
	for i, b := range bars {
		y := 8.0 + chartHeight
		fmt.Fprintf(&s, `<g><title>%s: %s</title>`, daysOf(b), text(sum(b)))
		for _, p := range parts(b) {
			if p.value == 0 {
				continue
			}
			h := max(p.value/top*chartHeight, 1)
			y -= h
			fmt.Fprintf(&s, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, chartLeft+float64(i)*step+barGap/2, y, step-barGap, h, p.fill)
		}
		s.WriteString(`</g>`)
	}
	if n := len(bars); n > 0 {
		for i, at := range []struct {
			x      int
			anchor string
			bar    Bar
		}{{chartLeft, "start", bars[0]}, {chartLeft + chartWidth/2, "middle", bars[n/2]}, {chartLeft + chartWidth, "end", bars[n-1]}} {
			day := at.bar.From
			if i == 2 {
				day = at.bar.To
			}
			fmt.Fprintf(&s, `<text x="%d" y="%d" font-size="12" text-anchor="%s" fill="currentColor">%s</text>`, at.x, chartHeight+26, at.anchor, day.Format("2006-01-02"))
		}
	}
	s.WriteString(`</svg>`)
	return template.HTML(s.String()) // numbers, dates and our own words alone
}

// wholeScale is the top of a scale of counts: 1, 2, 4, 10, 20, 40 …
func wholeScale(most float64) float64 {
	for unit := 1.0; ; unit *= 10 {
		for _, n := range []float64{1, 2, 4, 6, 8} {
			if n*unit >= most {
				return n * unit
			}
		}
	}
}

// byteScale is the top of a scale of bytes.
func byteScale(most float64) float64 { return max(wholeScale(most), 1000) }

// daysOf is the days of a bar.
func daysOf(b Bar) string {
	from, to := b.From.Format("2006-01-02"), b.To.Format("2006-01-02")
	if from == to {
		return from
	}
	return from + " to " + to
}

// meter draws a share of the largest one, over the whole available width. The
// others together are not the measure, and may be more.
func meter(n int, all []Share) template.HTML {
	top := 1
	for _, s := range all[:min(len(all), reportTop)] {
		top = max(top, s.Count)
	}
	n = min(n, top)
	return template.HTML(fmt.Sprintf(`<svg aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none" width="100%%" height="12"><rect width="%.1f" height="10" fill="%s"/></svg>`,
		max(1, 100*float64(n)/float64(top)), lossInk))
}

// swatch is the colour of an outcome.
func swatch(o audit.Outcome) template.HTML {
	for _, ink := range inks {
		if ink.outcome == o {
			return template.HTML(`<svg aria-hidden="true" width="10" height="10"><rect width="10" height="10" rx="2" fill="` + ink.fill + `"/></svg>`)
		}
	}
	return ""
}
