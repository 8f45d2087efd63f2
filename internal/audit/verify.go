package audit

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

// maxFindings bounds each of the two lists that findings are.
const maxFindings = 1000

// findings collects what verify has to say.
type findings struct {
	problems, notes []Finding
	omitted         int64
}

func (f *findings) problem(one Finding) {
	one.Problem = true
	f.keep(&f.problems, one)
}

func (f *findings) note(one Finding) { f.keep(&f.notes, one) }

func (f *findings) keep(list *[]Finding, one Finding) {
	if len(*list) == maxFindings {
		f.omitted++
		return
	}
	*list = append(*list, one)
}

// How often and after how long a file that does not end with an LF is looked at
// again: a long line may still be being written.
const (
	wholeTries = 20
	wholeWait  = 50 * time.Millisecond
)

// wholeSize is the size of a file at a moment when nobody is writing to it, as
// far as waiting can ensure that.
func wholeSize(f *os.File) (size int64, err error) {
	for range wholeTries {
		info, err := f.Stat()
		if err != nil {
			return 0, fmt.Errorf("stat log: %w", err)
		}
		size = info.Size()
		var last [1]byte
		if size == 0 {
			return 0, nil
		}
		if _, err := f.ReadAt(last[:], size-1); err != nil {
			return 0, fmt.Errorf("read log: %w", err)
		}
		if last[0] == '\n' {
			return size, nil
		}
		time.Sleep(wholeWait)
	}
	return size, nil
}

// examine reads the file, whose size is Bytes, and checks every line of
// it; it does not report heads that the file lacks yet.
func (p *part) examine(f io.ReaderAt) error {
	w := &walker{r: f, report: &p.Report, found: &p.found, heads: map[int64][]*HeadCheck{}, open: map[string]opened{}, last: fact{ended: true}}
	for i := range p.Heads {
		w.heads[p.Heads[i].Seq] = append(w.heads[p.Heads[i].Seq], &p.Heads[i])
	}
	if err := eachFact(f, p.Bytes, w.take); err != nil {
		return err
	}
	w.finish()
	if err := w.split(f); err != nil {
		return err
	}
	p.bearHeads(w.runs)
	p.main, p.continues, p.from = mainLog(w.runs, p.Heads), w.continues, w.from
	c := newChainer(w.runs, &p.found)
	c.follow(p.main)
	p.Untouched = c.untouched()
	if n := len(c.way); n > 0 {
		last := w.runs[c.way[n-1]]
		p.Head = Head{Log: p.main, Seq: last.toSeq, SHA256: last.sum.String()}
	}
	if w.cutRuns {
		p.found.problem(Finding{Class: Changed, Line: w.runs[maxRuns-1].line, ToLine: w.line, Text: "the chain is broken at more places than are told apart"})
	}
	return nil
}

// eachFact reads the file and hands over what verifying needs to know of each
// line, in order.
func eachFact(f io.ReaderAt, size int64, take func(fact) error) error {
	work := func(b block) ([]fact, error) { return factsOf(f, b) }
	return inOrder(f, size, forward(size), work, func(facts []fact) (bool, error) {
		for _, one := range facts {
			if err := take(one); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// split cuts runs after lines that several runs go on from, so that each run
// names the end of another one. It reads the log once more, and only when the
// chain is broken.
func (w *walker) split(f io.ReaderAt) error {
	ends, wanted := map[digest]bool{{}: true}, map[digest]bool{}
	for _, r := range w.runs {
		ends[r.sum] = true
	}
	for _, r := range w.runs {
		if !ends[r.prev] {
			wanted[r.prev] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	line, at := int64(0), 0
	return eachFact(f, w.report.Bytes, func(one fact) error {
		line += one.lines
		if one.kind != isChained || !wanted[one.sum] || len(w.runs) > 2*maxRuns {
			return nil
		}
		for at < len(w.runs) && w.runs[at].toLine < line {
			at++
		}
		if at < len(w.runs) && w.runs[at].line <= line && line < w.runs[at].toLine {
			rest := w.runs[at]
			w.runs[at].toLine, w.runs[at].toSeq, w.runs[at].sum = line, one.seq, one.sum
			rest.line, rest.seq, rest.prev, rest.strays = line+1, one.seq+1, one.sum, nil
			w.runs = slices.Insert(w.runs, at+1, rest)
		}
		return nil
	})
}

// bearHeads tells each run which heads lie in it.
func (r *Report) bearHeads(runs []run) {
	for _, h := range r.Heads {
		i, _ := slices.BinarySearchFunc(runs, h.Line, func(r run, line int64) int { return cmp.Compare(r.toLine, line) })
		if h.Line == 0 || i == len(runs) {
			continue
		}
		runs[i].heads++
		if h.link == "" || h.vouched {
			runs[i].proven = max(runs[i].proven, h.Line)
		}
	}
}

// mainLog is the id of the log that the file is: the one that a head in it
// names, else the one of most lines.
func mainLog(runs []run, heads []HeadCheck) string {
	for _, h := range heads {
		if h.Line > 0 {
			return h.Log
		}
	}
	lines := map[string]int64{}
	for _, r := range runs {
		lines[r.log] += r.toLine - r.line + 1
	}
	best := ""
	for _, log := range slices.Sorted(maps.Keys(lines)) {
		if best == "" || lines[log] > lines[best] {
			best = log
		}
	}
	return best
}

// tellHeads reports heads that the segment should hold and does not: each
// given one, and the newest of the noted ones in each class. gone says that
// the newest segment is not there, which had those of other logs.
func (p *part) tellHeads(heads []HeadCheck, gone bool) {
	told := map[Class]bool{}
	for _, h := range heads {
		f := Finding{Seq: h.Seq, ToSeq: h.Seq, noted: h.Noted}
		source := "a given head"
		switch {
		case h.Noted:
			source = "a head noted here"
		case h.link != "":
			source = "the end of this segment in " + h.link
		}
		switch {
		case gone && h.Log != p.main:
			f.Class, f.Text = Missing, fmt.Sprintf("the log is gone: it had %s", events(h.Seq))
		case p.main != "" && h.Log != p.main:
			f.Class, f.Text = Foreign, fmt.Sprintf("%s is of the log %s; this is %s", source, h.Log, p.main)
		case h.Seq > p.Head.Seq:
			f.Class, f.Line, f.ToLine = Truncated, p.Lines, p.Lines
			f.Text = fmt.Sprintf("the log ends at number %d; %s has number %d", p.Head.Seq, source, h.Seq)
		default:
			f.Class, f.Text = Changed, fmt.Sprintf("number %d is not the line that %s names: the log up to it is not the one it was taken from", h.Seq, source)
		}
		if !h.Noted || !told[f.Class] {
			p.found.problem(f)
		}
		told[f.Class] = told[f.Class] || h.Noted
	}
}

// sort puts the findings of the segment in order, by line.
func (p *part) sort() {
	byLine := func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.ToLine, b.ToLine), cmp.Compare(a.Class, b.Class), cmp.Compare(a.ID, b.ID))
	}
	slices.SortStableFunc(p.found.problems, byLine)
	slices.SortStableFunc(p.found.notes, byLine)
}

// Last is the head of the log: of its last chained line. Where no line is
// chained it is zero, and without a log fs.ErrNotExist.
func (l *Log) Last() (head Head, err error) {
	err = l.newestFirst(func(g *segment) (more bool, err error) {
		t, err := readTail(g.File)
		if err != nil {
			return false, fmt.Errorf("%s: %w", g.path, err)
		}
		head = t.head
		return head.Log == "", nil
	})
	return head, err
}
