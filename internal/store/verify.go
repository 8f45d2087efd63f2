package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// maxFindings bounds the findings that are kept.
const maxFindings = 1000

// verifier goes through all lines of a store, day by day, and follows the chain of
// each log. Its memory grows with the number of logs and with the lines of one day.
type verifier struct {
	Archive
	report audit.Report
	logs   map[string]*chain
	heads  map[string][]int // by log: which of report.Heads
	open   map[string]bool  // operations without an outcome, by Key.operation
}

// chain is a log as far as it was followed.
type chain struct {
	seq     int64
	sum     string
	others  map[string]bool  // the sums of lines that went another way
	waiting map[int64][]link // lines behind one that has not come: a clock that was set back
	// continues is what line 1 says of another log.
	continues *audit.Link
}

// link is what a line says of its place in the chain.
type link struct {
	seq              int64
	sum, prev, after string
	key              Key
}

// Verify checks every line of every log: that it is what its key says, and that it
// follows the one before it. heads are those that the store must hold.
//
// What was cut off at the end of a log, or removed with all of its log, only a head
// or a seal shows.
func (a Archive) Verify(ctx context.Context, name string, heads []audit.Head) (audit.Report, error) {
	v := &verifier{Archive: a, report: audit.Report{Path: name}, logs: map[string]*chain{}, heads: map[string][]int{}, open: map[string]bool{}}
	for _, h := range heads {
		v.heads[h.Log] = append(v.heads[h.Log], len(v.report.Heads))
		v.report.Heads = append(v.report.Heads, audit.HeadCheck{Head: h})
	}
	days, err := a.Source.Days(ctx)
	if err != nil {
		return v.report, err
	}
	for i, day := range days {
		soon(ctx, a.Source, days[i+1:min(i+2, len(days))])
		if err := v.day(ctx, day); err != nil {
			return v.report, err
		}
	}
	v.finish()
	return v.report, nil
}

func (v *verifier) day(ctx context.Context, day time.Time) error {
	keys, err := dayKeys(ctx, v.Source, day)
	if err != nil {
		return err
	}
	if s, can := v.Source.(interface {
		Strange(context.Context, time.Time) ([]string, error)
	}); can {
		names, err := s.Strange(ctx, day)
		if err != nil {
			return err
		}
		for _, name := range names {
			v.problem(audit.Finding{Class: audit.Inserted, File: name, Text: "an object that does not hold an event"})
		}
	}
	// Lines are read in the order in which packs have them, and then taken log by log.
	all := make([]looked, 0, len(keys))
	for some := range slices.Chunk(keys, chunk) {
		lines, err := v.Source.Lines(ctx, some)
		if err != nil {
			return err
		}
		all = append(all, look(some, lines)...)
	}
	slices.SortFunc(all, func(a, b looked) int { return a.key.compareInLog(b.key) })
	for i := range all {
		v.take(&all[i])
	}
	return nil
}

// looked is what is kept of a line that was read.
type looked struct {
	key   Key
	bytes int
	bad   error // it is not what its key says
	prev  string
	after string // of unchained lines before it: what they follow
	goes  *audit.Link
}

// look looks at lines, on all processors.
func look(keys []Key, lines [][]byte) []looked {
	all := make([]looked, len(keys))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	const each = 8
	for start := 0; start < len(keys); start += each {
		work.Go(func() error {
			for i := start; i < min(start+each, len(keys)); i++ {
				all[i] = lookAt(keys[i], lines[i])
			}
			return nil
		})
	}
	_ = work.Wait() // none fails
	return all
}

func lookAt(k Key, data []byte) looked {
	e, err := k.event(data)
	l := looked{key: k, bytes: len(data), bad: err, prev: strings.Clone(e.Prev)}
	if err != nil || !bytes.Contains(e.Details, []byte(`"continues"`)) && !bytes.Contains(e.Details, []byte(`"after"`)) {
		return l
	}
	var d struct {
		Continues            *audit.Link
		Recovered, Unchained struct{ After string }
	}
	_ = json.Unmarshal(e.Details, &d) // of another shape: nothing of the kind
	l.goes, l.after = d.Continues, cmp.Or(d.Recovered.After, d.Unchained.After)
	return l
}

// take takes the next line of a log.
func (v *verifier) take(l *looked) {
	k := l.key
	v.report.Lines++
	v.report.Bytes += int64(l.bytes) + 1
	if l.bad != nil {
		f := inLog(audit.Changed, k.Log, k.Seq, k.Seq, l.bad.Error())
		f.ID = k.ID
		v.problem(f)
		v.follow(v.chain(k.Log), link{seq: k.Seq, sum: k.Sum, key: k}) // the key's word for the rest of the chain
		return
	}
	v.report.Events++
	if k.Outcome == audit.Pending {
		v.open[k.operation()] = true
	} else {
		delete(v.open, k.operation())
		v.report.Operations++
	}
	for _, i := range v.heads[k.Log] {
		if h := &v.report.Heads[i]; h.Seq == k.Seq && h.SHA256 == k.Sum {
			h.Line, h.File = k.Seq, k.Log
		}
	}
	c := v.chain(k.Log)
	if k.Seq == 1 {
		c.continues = l.goes
	}
	v.follow(c, link{seq: k.Seq, sum: k.Sum, prev: l.prev, after: l.after, key: k})
}

func (v *verifier) chain(log string) *chain {
	c := v.logs[log]
	if c == nil {
		c = &chain{sum: noSum}
		v.logs[log] = c
	}
	return c
}

// follow takes a link, and those that waited for it: not by calling itself, since
// whoever can create events decides how many these are.
func (v *verifier) follow(c *chain, l link) {
	for todo := []link{l}; len(todo) > 0; {
		l, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if v.one(c, l) {
			next := c.waiting[c.seq+1]
			delete(c.waiting, c.seq+1)
			slices.Reverse(next)
			todo = append(todo, next...)
		}
	}
}

// one takes a link, and reports whether the chain goes on from it.
func (v *verifier) one(c *chain, l link) bool {
	log := l.key.Log
	switch {
	case l.seq-1 > c.seq:
		if c.waiting == nil {
			c.waiting = map[int64][]link{}
		}
		c.waiting[l.seq] = append(c.waiting[l.seq], l)
		return false
	case l.seq <= c.seq:
		if c.others == nil {
			c.others = map[string]bool{}
		}
		c.others[l.sum] = true
		v.problem(inLog(audit.Forked, log, l.seq, l.seq, "the log went on in two ways: another event has this number; both are kept: "+l.key.String()))
		return false
	case l.prev != "" && l.prev != c.sum && l.after != c.sum && !c.others[l.prev] && !c.others[l.after]:
		v.problem(inLog(audit.Changed, log, l.seq, l.seq, "it does not follow the event before it, which is another one than was written"))
	}
	c.seq, c.sum = l.seq, l.sum
	return true
}

// finish tells of what did not come.
func (v *verifier) finish() {
	logs := slices.Sorted(maps.Keys(v.logs))
	for _, log := range logs {
		c := v.logs[log]
		for _, first := range slices.Sorted(maps.Keys(c.waiting)) {
			waited := c.waiting[first]
			if waited == nil {
				continue // it followed one of those before
			}
			v.problem(inLog(audit.Missing, log, c.seq+1, first-1, fmt.Sprintf("%d events before number %d are not there", first-1-c.seq, first)))
			delete(c.waiting, first)
			c.seq, c.sum = first-1, waited[0].prev // whatever it was
			for _, one := range waited {
				v.follow(c, one)
			}
		}
	}
	for _, log := range logs {
		v.joint(log, v.logs[log].continues)
	}
	for i := range v.report.Heads {
		if h := v.report.Heads[i]; h.Line == 0 {
			v.problem(inLog(audit.Missing, h.Log, h.Seq, h.Seq, "the line that the head "+h.Word()+" names is not there"))
		}
	}
	v.report.Logs, v.report.Unfinished = int64(len(v.logs)), int64(len(v.open))
	v.report.Operations += v.report.Unfinished
}

// joint compares the end of a log with what the one that goes on from it says.
func (v *verifier) joint(log string, k *audit.Link) {
	if k == nil || v.logs[k.Log] == nil { // a segment of before the store, perhaps
		return
	}
	old := v.logs[k.Log]
	if old.seq == k.Seq && old.sum == k.SHA256 {
		return
	}
	class, text := audit.Missing, fmt.Sprintf("the log %s continues number %d of this one, which ends elsewhere here", log, k.Seq)
	if old.seq == k.Seq {
		class = audit.Changed
	} else if old.seq > k.Seq {
		class = audit.Inserted
	}
	v.problem(inLog(class, k.Log, k.Seq, k.Seq, text))
}

// inLog is a finding on the events of a log from one number to another: a store has no
// line numbers besides.
func inLog(class audit.Class, log string, from, to int64, text string) audit.Finding {
	return audit.Finding{Class: class, File: log, Line: from, ToLine: to, Seq: from, ToSeq: to, Text: text}
}

func (v *verifier) problem(f audit.Finding) {
	f.Problem = true
	if len(v.report.Findings) == maxFindings {
		v.report.Omitted++
		return
	}
	v.report.Findings = append(v.report.Findings, f)
}
