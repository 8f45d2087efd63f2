package audit

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
)

// OpenError names the operations that prevent a rotation, oldest
// first: none may begin in one segment and end in another.
type OpenError struct{ Operations []OpenOperation }

// OpenOperation is an operation without an outcome.
type OpenOperation struct{ ID, Operation string }

// maxNamed is how many of the operations the error names.
const maxNamed = 3

func (e *OpenError) Error() string {
	n := len(e.Operations)
	if n == 1 {
		return fmt.Sprintf("%s %s is unfinished", e.Operations[0].Operation, e.Operations[0].ID)
	}
	var each []string
	for _, o := range e.Operations[:min(n, maxNamed)] {
		each = append(each, o.Operation+" "+o.ID)
	}
	if n > maxNamed {
		each = append(each, "…")
	}
	return fmt.Sprintf("%d operations are unfinished: %s", n, strings.Join(each, ", "))
}

// pending is what is unfinished in the first at bytes of a file.
type pending struct {
	file os.FileInfo
	at   int64
	open map[string]opened
}

// pending reads the newest segment.
func (l *Log) pending() (p pending, err error) {
	g, err := l.newest()
	if err != nil {
		return p, err
	}
	defer g.Close()
	if err := p.read(g.File); err != nil {
		return p, fmt.Errorf("%s: %w", g.path, err)
	}
	return p, nil
}

// read takes in what was added to the file since, or all of it if it is
// another file.
func (p *pending) read(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("stat log: %w", err)
	}
	if p.file == nil || !os.SameFile(p.file, info) || info.Size() < p.at {
		*p = pending{file: info, open: map[string]opened{}}
	}
	from, size := p.at, info.Size()
	spans := func(n int) (span, bool) {
		s, ok := forward(size - from)(n)
		return span{s.from + from, s.to + from}, ok
	}
	work := func(b block) ([]fact, error) { return factsOf(f, b) }
	return inOrder(f, size, spans, work, func(facts []fact) (bool, error) {
		for _, one := range facts {
			if p.at = one.end; !one.ended {
				p.at = one.last // it may be whole the next time
			}
			switch {
			case one.pending:
				p.open[one.id] = opened{seq: one.seq, operation: one.op}
			case one.id != "":
				delete(p.open, one.id)
			}
		}
		return true, nil
	})
}

// operations are the unfinished ones, oldest first.
func (p *pending) operations() (all []OpenOperation) {
	seqs := map[string]int64{}
	for id, o := range p.open {
		all, seqs[id] = append(all, OpenOperation{id, o.operation}), o.seq
	}
	slices.SortFunc(all, func(a, b OpenOperation) int { return cmp.Compare(seqs[a.ID], seqs[b.ID]) })
	return all
}
