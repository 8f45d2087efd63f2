package render

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// Share is a name and how often it occurs.
type Share struct {
	Name  string
	Count int
}

func shares(counts map[string]int) (all []Share) {
	for name, n := range counts {
		all = append(all, Share{name, n})
	}
	slices.SortFunc(all, func(a, b Share) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	if len(all) > reportTop {
		rest := Share{Name: fmt.Sprintf("%d others", len(all)-reportTop)}
		for _, s := range all[reportTop:] {
			rest.Count += s.Count
		}
		all = append(all[:reportTop], rest)
	}
	return all
}

// Operations, Users and Projects are what occurs most.
func (r *Report) Operations() []Share { return shares(r.operations) }

// Users are who did most.
func (r *Report) Users() []Share { return shares(r.users) }

// Projects are what most was done to.
func (r *Report) Projects() []Share { return shares(r.projects) }

// Bar is a stretch of days on the time axis.
type Bar struct {
	From, To time.Time // both included
	Counts   map[audit.Outcome]int
	Total    int
	Lost     int64 // bytes
}

func (b *Bar) add(outcome audit.Outcome, lost int64) {
	b.Counts[outcome]++
	b.Total++
	b.Lost += lost
}

// day is the bar of one day.
func (r *Report) day(t time.Time) *Bar {
	day := t.Unix() / 86400
	if r.days[day] == nil {
		r.days[day] = &Bar{Counts: map[audit.Outcome]int{}}
	}
	return r.days[day]
}

// Bars cuts the time from the first operation to the last into stretches of as
// many days each, so that there are not too many. Of a short time they begin
// earlier: a bar that fills a page says nothing.
func (r *Report) Bars() (bars []Bar) {
	if len(r.days) == 0 {
		return nil
	}
	first, last := int64(1)<<62, int64(-1)<<62
	for day := range r.days {
		first, last = min(first, day), max(last, day)
	}
	first = min(first, last-reportFewest+1)
	width := (last-first)/reportBars + 1
	for day := first; day <= last; day += width {
		b := Bar{From: time.Unix(day*86400, 0).UTC(), To: time.Unix((day+width-1)*86400, 0).UTC(), Counts: map[audit.Outcome]int{}}
		for d := day; d < day+width; d++ {
			one := r.days[d]
			if one == nil {
				continue
			}
			for o, n := range one.Counts {
				b.Counts[o] += n
			}
			b.Total += one.Total
			b.Lost += one.Lost
		}
		bars = append(bars, b)
	}
	return bars
}

// place is the rank of a name among those that occur most, for the filters: its
// index, or that of all others.
func place(name string, all []Share) int {
	for i, s := range all {
		if s.Name == name {
			return i
		}
	}
	return reportTop
}
