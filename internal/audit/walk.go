package audit

import (
	"fmt"
	"hash/maphash"
	"io"
)

// maxRuns bounds how many breaks of the chain are distinguished. A log with more
// counts as damaged throughout.
const maxRuns = 10_000

// run is a sequence of chained lines, each of which names the one before it.
type run struct {
	line, toLine  int64
	seq, toSeq    int64
	log           string
	prev          digest // as its first line has it
	sum           digest // of its last line
	strays        *group // lines before it that nothing covers
	heads, proven int64  // how many known heads are in it, and the line of the last one
}

// group is some lines, following each other, that are not chained.
type group struct {
	fact      // of all of them
	line      int64
	seedOnly  bool
	newer     bool
	firstBad  string
	lastIsBad bool
}

// walker goes through the facts of a log in the order of the file.
type walker struct {
	r       io.ReaderAt
	report  *Report
	found   *findings
	heads   map[int64][]*HeadCheck // by seq
	line    int64                  // lines seen
	prev    digest                 // of the last line seen, chained or not
	last    fact                   // the last chained one; seq 0 when there is none
	strays  *group                 // lines since then
	runs    []run
	cutRuns bool // there were more than maxRuns
	open    map[string]opened
	ended   ended

	continues *Link // what event 1 says of another segment
	from      int64 // the line of event 1
}

// ended remembers which operations have had their outcome, by a hash of their
// ids: 10 to 20 bytes for each, where an operation takes some 4,000 in the log.
// Two ids with one hash would be taken for the same operation. Among a million
// the chance of that is 1 in 37 million; and since the seed is another one each
// time, nobody can choose such ids, and the next run does not agree.
type ended struct {
	seed   maphash.Seed
	hashes map[uint64]struct{}
	newest int64 // the highest number seen
}

// late reports whether the event was written after the outcome of its operation,
// and remembers outcomes. A line that merely stands behind a later one, moved or
// copied, was not.
func (e *ended) late(f fact) bool {
	if e.hashes == nil {
		e.seed, e.hashes = maphash.MakeSeed(), map[uint64]struct{}{}
	}
	hash := maphash.String(e.seed, f.id)
	_, had := e.hashes[hash]
	late := had && f.seq > e.newest
	e.newest = max(e.newest, f.seq)
	if !f.pending {
		e.hashes[hash] = struct{}{}
	}
	return late
}

// opened is an operation whose outcome has not been seen.
type opened struct {
	line, seq int64
	operation string
}

func (w *walker) take(f fact) error {
	first := w.line + 1
	w.line += f.lines
	if f.kind != isChained {
		w.stray(f, first)
		w.prev = f.sum
		return nil
	}
	w.report.Events++
	late := w.ended.late(f)
	if late {
		w.found.problem(Finding{Class: AfterOutcome, Line: w.line, ToLine: w.line, Seq: f.seq, ToSeq: f.seq, ID: f.id, Text: "its operation had had its outcome"})
	}
	w.settle(f, late)
	if f.seq == 1 && f.claims != nil && w.continues == nil {
		w.continues, w.from = f.claims.Continues, w.line
	}
	for _, h := range w.heads[f.seq] {
		if h.Line == 0 && h.Log == f.log && h.SHA256 == f.sum.String() {
			h.Line = w.line
		}
	}
	linked, err := w.linked(&f)
	if err != nil {
		return err
	}
	switch {
	case linked && f.seq == w.last.seq+1 && (f.log == w.last.log || w.last.seq == 0):
		w.extend(f)
	case w.strays == nil && f.sum == w.last.sum && w.last.seq > 0:
		w.found.problem(Finding{Class: Inserted, Line: w.line, ToLine: w.line, Seq: f.seq, ToSeq: f.seq, Text: "a copy of the line before it"})
	default:
		w.begin(f)
	}
	w.strays, w.prev, w.last = nil, f.sum, f
	return nil
}

// stray takes lines that are not chained.
func (w *walker) stray(f fact, line int64) {
	g := w.strays
	if g == nil {
		g = &group{fact: f, line: line, seedOnly: true}
		w.strays = g
	} else {
		g.join(f)
	}
	g.seedOnly = g.seedOnly && f.kind == isSeed
	g.newer = g.newer || f.kind == tooNew
	g.lastIsBad = f.kind == isBad
	if g.firstBad == "" {
		g.firstBad = f.bad
	}
}

// settle keeps the list of operations without an outcome.
func (w *walker) settle(f fact, late bool) {
	if !f.pending {
		if !late {
			w.report.Operations++
		}
		delete(w.open, f.id)
		return
	}
	w.open[f.id] = opened{w.line, f.seq, f.op}
}

// linked reports whether the event names the chained line before it, and reports
// lines between them.
func (w *walker) linked(f *fact) (bool, error) {
	g := w.strays
	if g == nil {
		return f.prev == w.last.sum, nil // zero on line 1, as its prev is
	}
	if f.prev != w.last.sum && f.prev != w.prev {
		return false, nil
	}
	w.strays = nil
	if f.prev == w.last.sum {
		w.found.problem(g.finding(Inserted, "not there when line %d was written: %s", w.line, g.what()))
		return true, nil
	}
	covered, err := w.covered(*f, g)
	switch {
	case err != nil:
		return false, err
	case covered:
		w.tellCovered(*f, g)
		f.prev = w.last.sum // which its claims hold: to the chain, they do not stand between
	default:
		w.found.problem(g.finding(Changed, "not what line %d recorded of it: %s", w.line, g.what()))
	}
	return true, nil
}

// covered reports whether the event describes the lines before it as they are.
func (w *walker) covered(f fact, g *group) (bool, error) {
	if f.claims == nil {
		return false, nil
	}
	torn, loose := f.claims.Recovered, f.claims.Unchained
	end, lines := g.end, g.lines
	if torn != nil {
		if torn.Bytes != g.lastSize() || torn.SHA256 != g.sum.String() || torn.After != w.last.sum.String() {
			return false, nil
		}
		end, lines = g.last, g.lines-1
	}
	if lines == 0 || loose == nil {
		return lines == 0 && loose == nil, nil
	}
	// An LF that the writer of the event had to add is not in its count.
	if to := g.offset + loose.Bytes; to != end && to != end-1 || loose.Bytes < 0 || int64(loose.Lines) != lines || loose.After != w.last.sum.String() {
		return false, nil
	}
	sum, err := sumOf(w.r, g.offset, g.offset+loose.Bytes)
	return loose.SHA256 == digest(sum).String(), err
}

func (w *walker) tellCovered(f fact, g *group) {
	rest := *g
	if f.claims.Recovered != nil {
		w.found.note(Finding{Class: Torn, Line: w.line - 1, ToLine: w.line - 1, Text: fmt.Sprintf("cut short by a crash; sealed and covered by line %d", w.line)})
		rest.lines = g.lines - 1
	}
	switch {
	case g.newer:
		w.found.problem(g.finding(Malformed, "%s", g.firstBad))
	case rest.lines == 0:
	case rest.seedOnly:
		w.found.note(rest.finding(Unchained, "covered by line %d", w.line))
	default:
		w.found.note(rest.finding(Malformed, "covered by line %d: %s", w.line, rest.what()))
	}
}

// lastSize is the bytes of the last line without its LF.
func (g *group) lastSize() int64 {
	if g.ended {
		return g.end - g.last - 1
	}
	return g.end - g.last
}

func (g *group) what() string {
	if g.seedOnly {
		return "events that are not chained"
	}
	return g.firstBad
}

func (g *group) finding(class Class, format string, args ...any) Finding {
	return Finding{Class: class, Line: g.line, ToLine: g.line + g.lines - 1, Text: fmt.Sprintf(format, args...)}
}

func (w *walker) extend(f fact) {
	if len(w.runs) == 0 {
		w.begin(f)
		return
	}
	r := &w.runs[len(w.runs)-1]
	r.toLine, r.toSeq, r.sum = w.line, f.seq, f.sum
}

func (w *walker) begin(f fact) {
	if len(w.runs) == maxRuns {
		w.cutRuns = true
		w.extend(f) // only its end is known to be right
		return
	}
	w.runs = append(w.runs, run{line: w.line, toLine: w.line, seq: f.seq, toSeq: f.seq, log: f.log,
		prev: f.prev, sum: f.sum, strays: w.strays})
}

// finish reports the end of the file and what is unfinished.
func (w *walker) finish() {
	w.report.Lines = w.line
	g := w.strays
	switch {
	case g == nil && w.line > 0 && !w.last.ended:
		w.found.problem(Finding{Class: Torn, Line: w.line, ToLine: w.line, Text: "the last line lacks its line feed: cut short by a crash, or by hand"})
	case g == nil:
	case !g.ended && g.lastIsBad:
		w.found.problem(Finding{Class: Torn, Line: w.line, ToLine: w.line, Text: fmt.Sprintf("%d bytes without a line feed: cut short by a crash, or by hand", g.end-g.last)})
		g.lines = g.lines - 1
	}
	switch {
	case g == nil || g.lines == 0:
	case g.seedOnly:
		w.found.note(g.finding(Unchained, "no event covers them yet"))
	default:
		w.found.problem(g.finding(Malformed, "no event covers it: %s", g.firstBad))
	}
	for id, o := range w.open {
		w.found.note(Finding{Class: OpenEnd, Line: o.line, ToLine: o.line, Seq: o.seq, ToSeq: o.seq, ID: id, Text: o.operation + " without an outcome"})
	}
	w.report.Unfinished = int64(len(w.open))
	w.report.Operations += w.report.Unfinished
}
