package audit

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// chainer puts the runs of a log back into the order in which they were
// written, and says what is wrong with the order in which they stand.
//
// Each run names the line that it was written after. So the runs form a tree,
// usually a single path, from the beginning of the log. Where two go
// on from one line, the way is the one that a known head lies on, else the
// longer one; the other was inserted. Where none goes on, the line was changed
// or lines are missing, and the way goes on with the run of the next number.
type chainer struct {
	runs   []run
	found  *findings
	after  map[digest][]int // runs by the line that they were written after
	weight []int64          // lines on the best way from the run on
	used   []bool
	way    []int // runs in the order of writing
	blamed map[int64]bool
}

func newChainer(runs []run, found *findings) *chainer {
	c := &chainer{runs: runs, found: found, after: map[digest][]int{}, blamed: map[int64]bool{},
		weight: make([]int64, len(runs)), used: make([]bool, len(runs))}
	for i, r := range runs {
		c.after[r.prev] = append(c.after[r.prev], i)
	}
	for i := range runs {
		c.weigh(i)
	}
	return c
}

// weigh is the weight of a run. In an honest log a run holds the hash of the one
// before it, so no way is a circle. In a forged one a run can hold lines that
// are no proof of each other: a run that is being weighed counts once.
func (c *chainer) weigh(i int) int64 {
	if c.weight[i] > 0 {
		return c.weight[i]
	}
	c.weight[i] = 1
	best := int64(0)
	for _, next := range c.after[c.runs[i].sum] {
		best = max(best, c.weigh(next))
	}
	r := c.runs[i]
	c.weight[i] = best + r.toLine - r.line + 1 + r.heads*math.MaxInt32
	return c.weight[i]
}

// follow walks the way and reports every break in it. main is the log's id.
func (c *chainer) follow(main string) {
	c.setForeignAside(main)
	at := run{} // before the first line: no hash, number 0
	for {
		next, broken := c.next(at)
		if next < 0 {
			break
		}
		r := c.runs[next]
		if broken {
			c.tellBreak(at, next)
		} else {
			c.tellStep(at, r)
			r.toSeq += at.toSeq + 1 - r.seq // where its numbers are wrong
		}
		c.used[next] = true
		c.way = append(c.way, next)
		at = r
	}
	c.tellUnused()
}

// setForeignAside takes the runs of other logs off the way.
func (c *chainer) setForeignAside(main string) {
	for i, r := range c.runs {
		if r.log == main {
			continue
		}
		c.used[i] = true
		c.found.problem(Finding{Class: Foreign, Line: r.line, ToLine: r.toLine, Seq: r.seq, ToSeq: r.toSeq, Text: fmt.Sprintf("of the log %s", r.log)})
	}
}

// next is the run that was written after at, and whether the link is broken.
func (c *chainer) next(at run) (next int, broken bool) {
	next = -1
	for _, i := range c.after[at.sum] {
		if !c.used[i] && (next < 0 || c.weight[i] > c.weight[next]) {
			next = i
		}
	}
	if next >= 0 {
		return next, false
	}
	for i, r := range c.runs {
		if c.used[i] || r.seq <= at.toSeq {
			continue
		}
		if next < 0 || r.seq < c.runs[next].seq || r.seq == c.runs[next].seq && c.weight[i] > c.weight[next] {
			next = i
		}
	}
	return next, true
}

// tellStep reports what is wrong although the run names the line before it.
func (c *chainer) tellStep(at, r run) {
	switch {
	case r.line < at.line:
		c.found.problem(Finding{Class: Reordered, Line: r.line, ToLine: r.toLine, Seq: r.seq, ToSeq: r.toSeq,
			Text: fmt.Sprintf("written after line %d, and stands before it", at.toLine)})
	case r.seq != at.toSeq+1:
		c.blame(Finding{Class: Changed, Line: r.line, ToLine: r.line, Seq: r.seq, ToSeq: r.seq,
			Text: fmt.Sprintf("its number is %d where %d belongs", r.seq, at.toSeq+1)})
	}
	c.tellStrays(r, "")
}

// tellBreak reports a run that does not name the line before it.
func (c *chainer) tellBreak(at run, next int) {
	r := c.runs[next]
	if r.line < at.line {
		c.found.problem(Finding{Class: Reordered, Line: r.line, ToLine: r.toLine, Seq: r.seq, ToSeq: r.toSeq,
			Text: fmt.Sprintf("its number follows that of line %d, and it stands before it", at.toLine)})
	}
	gap := r.seq - at.toSeq - 1
	switch {
	case gap > 0 && r.strays != nil:
		c.tellStrays(r, fmt.Sprintf(", in place of %s", numbers(at.toSeq+1, r.seq-1)))
	case gap > 0:
		c.found.problem(Finding{Class: Missing, Line: r.line, ToLine: r.line, Seq: at.toSeq + 1, ToSeq: r.seq - 1,
			Text: fmt.Sprintf("%s should stand before it", numbers(at.toSeq+1, r.seq-1))})
	case at.toSeq == 0:
		c.blame(Finding{Class: Changed, Line: r.line, ToLine: r.line, Seq: r.seq, ToSeq: r.seq, Text: "it is number 1, and names a line before it"})
	case r.line == r.toLine && len(c.after[r.sum]) == 0:
		c.tellAlone(at, r)
	case c.blamed[at.toLine]: // reported already
	default:
		c.blame(Finding{Class: Changed, Line: at.toLine, ToLine: at.toLine, Seq: at.toSeq, ToSeq: at.toSeq,
			Text: fmt.Sprintf("not what line %d recorded of it", r.line)})
	}
	if gap <= 0 {
		c.tellStrays(r, "")
	}
}

// tellAlone reports a single line with no link to the line before it, and
// none from the line after it.
func (c *chainer) tellAlone(at, r run) {
	f := Finding{Class: Changed, Line: r.line, ToLine: r.line, Seq: r.seq, ToSeq: r.seq}
	followed := slices.ContainsFunc(c.runs, func(o run) bool { return o.seq == r.toSeq+1 })
	switch {
	case followed:
		f.Text = fmt.Sprintf("not what the line after it recorded of it; so nothing vouches for line %d", at.toLine)
	case at.proven == at.toLine:
		f.Text = fmt.Sprintf("it does not name line %d, which a head proves", at.toLine)
	case r.heads > 0:
		f = Finding{Class: Changed, Line: at.toLine, ToLine: at.toLine, Seq: at.toSeq, ToSeq: at.toSeq, Text: fmt.Sprintf("not what line %d recorded of it", r.line)}
	default:
		f.Line, f.Seq = at.toLine, at.toSeq
		f.Text = fmt.Sprintf("one of them was changed: line %d does not name line %d", r.line, at.toLine)
	}
	c.blame(f)
	c.blamed[at.toLine] = c.blamed[at.toLine] || followed
}

func (c *chainer) blame(f Finding) {
	c.found.problem(f)
	c.blamed[f.Line], c.blamed[f.ToLine] = true, true
}

// tellStrays reports lines before the run that are no part of the chain.
func (c *chainer) tellStrays(r run, more string) {
	if r.strays == nil {
		return
	}
	class := Malformed
	if r.strays.seedOnly {
		class = Inserted
	}
	c.found.problem(r.strays.finding(class, "%s%s", r.strays.what(), more))
}

// tellUnused reports the runs that are not on the way.
func (c *chainer) tellUnused() {
	for i, r := range c.runs {
		if c.used[i] {
			continue
		}
		c.found.problem(Finding{Class: Inserted, Line: r.line, ToLine: r.toLine, Seq: r.seq, ToSeq: r.toSeq,
			Text: fmt.Sprintf("not written here: %s of the log stood elsewhere", numbers(r.seq, r.toSeq))})
		c.tellStrays(r, "")
	}
}

// untouched lists what of the way nobody has changed since.
func (c *chainer) untouched() (ranges []Range) {
	var sum digest // of the run before
	for _, i := range c.way {
		r := c.runs[i]
		g := Range{Line: r.line, ToLine: r.toLine, Seq: r.seq, ToSeq: r.toSeq, ProvenToLine: r.proven}
		if c.blamed[g.Line] {
			g.Line, g.Seq = g.Line+1, g.Seq+1
		}
		if g.Line <= g.ToLine && c.blamed[g.ToLine] {
			g.ToLine, g.ToSeq = g.ToLine-1, g.ToSeq-1
		}
		switch n := len(ranges) - 1; {
		case g.Line > g.ToLine:
		case n >= 0 && sum == r.prev && ranges[n].ToLine+1 == g.Line:
			ranges[n].ToLine, ranges[n].ToSeq = g.ToLine, g.ToSeq
			ranges[n].ProvenToLine = max(ranges[n].ProvenToLine, g.ProvenToLine)
		default:
			ranges = append(ranges, g)
		}
		sum = r.sum
	}
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.Line, b.Line) })
	return ranges
}

func numbers(from, to int64) string {
	if from == to {
		return fmt.Sprintf("number %d", from)
	}
	return fmt.Sprintf("numbers %d to %d", from, to)
}
