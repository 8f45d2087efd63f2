package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// part is the verdict on one segment.
type part struct {
	Report
	name      string
	main      string // id of the log that the segment is of
	continues *Link  // what its first event says
	from      int64  // the line of that event
	gone      string // id of the log of the segment that it continues and that is gone
	found     findings
}

// Verify reads all segments of the log and checks every line of them, that each
// goes on from the one before, and that they hold the heads: those that were
// noted here, and those that are given. A log that is not there is an error
// (fs.ErrNotExist) if no head names it. What is appended in the meantime is not
// looked at.
func (l *Log) Verify(given []Head) (Report, error) {
	report := Report{Path: l.Path}
	noted, err := l.Heads.Noted(l.Path)
	if err != nil {
		return report, err
	}
	for _, h := range given {
		report.Heads = append(report.Heads, HeadCheck{Head: h})
	}
	for _, h := range noted {
		report.Heads = append(report.Heads, HeadCheck{Head: h, Noted: true})
	}
	parts, err := l.examineAll(report.Heads)
	if errors.Is(err, fs.ErrNotExist) && len(report.Heads) > 0 {
		report.Findings = []Finding{{Class: Missing, Problem: true, File: filepath.Base(l.Path), noted: true, Text: fmt.Sprintf("the log is gone: it had %s", events(report.Heads[0].Seq))}}
		return report, nil
	}
	if err != nil {
		return report, err
	}
	report.placeHeads(parts, filepath.Base(l.Path))
	for _, p := range slices.Backward(parts) {
		report.add(p)
	}
	return report, nil
}

// examineAll examines the segments, the newest one first: those that each other
// one leads to, and then those that nothing leads to.
func (l *Log) examineAll(heads []HeadCheck) (parts []*part, err error) {
	listed, err := l.segments() // first: what is put aside from here on is reached under its old name
	if err != nil {
		return nil, err
	}
	g, err := l.newest()
	if err != nil {
		return nil, err
	}
	seen := g.seen
	if parts, err = l.examineChain(g, heads); err != nil {
		return nil, err
	}
	for {
		path, err := stray(listed, seen)
		if path == "" || err != nil {
			return parts, err
		}
		if g, err = openSegment(path, seen); err != nil {
			return nil, err
		}
		more, err := l.examineChain(g, heads)
		if err != nil {
			return nil, err
		}
		more[0].found.problem(Finding{Class: Missing, Text: "nothing here continues this segment: the log that went on from it is gone, or was replaced"})
		parts = append(parts, more...)
	}
}

// stray is one of the listed segments that was not seen, the newest one of those
// that continue each other; "" when all were seen.
func stray(listed []string, seen map[string]bool) (path string, err error) {
	all := slices.DeleteFunc(slices.Clone(listed), func(path string) bool { return seen[path] })
	continued, err := continuedBy(all)
	if err != nil {
		return "", err
	}
	for _, one := range slices.Backward(all) {
		if path = one; !continued[filepath.Base(one)] {
			break
		}
	}
	return path, nil
}

// examineChain examines a segment, which it closes, and those that it goes on
// from.
func (l *Log) examineChain(g *segment, heads []HeadCheck) (parts []*part, err error) {
	var link *HeadCheck
	for {
		p, err := l.examineSegment(g, heads, link)
		g.Close()
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
		k := p.continues
		if k != nil {
			link = &HeadCheck{Head: k.Head(), link: p.name, vouched: p.proves(p.from)}
		} else if p.Events == 0 && g.path == l.Path {
			link = nil
			if k, err = l.looseEnd(); err != nil {
				return nil, err
			}
		}
		if k == nil {
			return parts, nil
		}
		path, ok := l.beside(*k)
		if !ok {
			p.found.problem(Finding{Class: Missing, Line: p.from, ToLine: p.from, Text: fmt.Sprintf("it continues %q, which is no segment's name with the id %q", k.Path, k.Log)})
			return parts, nil
		}
		if g.seen[path] {
			p.found.problem(Finding{Class: Missing, Line: p.from, ToLine: p.from, Text: "it continues a segment that was continued already"})
			return parts, nil
		}
		next, err := openSegment(path, g.seen)
		if errors.Is(err, fs.ErrNotExist) {
			p.gone = k.Log
			p.found.problem(Finding{Class: Missing, File: k.Path, Seq: 1, ToSeq: k.Seq, Text: fmt.Sprintf("the segment is gone: it had %s, and %s continues it", events(k.Seq), p.name)})
			return parts, nil
		}
		if err != nil {
			return nil, err
		}
		g = next
	}
}

// examineSegment examines one segment. link is what the one that continues it
// says of its end.
func (l *Log) examineSegment(g *segment, heads []HeadCheck, link *HeadCheck) (*part, error) {
	p := &part{name: g.name()}
	p.Heads = slices.Clone(heads)
	if link != nil {
		p.Heads = append(p.Heads, *link)
	}
	p.Bytes = g.size
	var err error
	if g.path == l.Path { // which may be being written to
		p.Bytes, err = wholeSize(g.File)
	}
	if err == nil {
		err = p.examine(g)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.path, err)
	}
	if link == nil {
		return p, nil
	}
	if held := p.Heads[len(heads)]; held.Line == 0 {
		p.tellHeads([]HeadCheck{held}, false)
	} else if held.Line < p.Lines {
		p.found.problem(Finding{Class: Inserted, Line: held.Line + 1, ToLine: p.Lines, Text: "added after the segment was closed: " + link.link + " continues from before it"})
	}
	p.Heads = p.Heads[:len(heads)]
	return p, nil
}

// proves reports whether a head proves a line of the segment.
func (p *part) proves(line int64) bool {
	return slices.ContainsFunc(p.Untouched, func(g Range) bool { return g.Line <= line && line <= g.ProvenToLine })
}

// placeHeads says of each head which segment has it, and lets the segment that
// should have it report it if none does; a segment that is gone was reported
// already. name is that of the newest segment.
func (r *Report) placeHeads(parts []*part, name string) {
	lacking := make([][]HeadCheck, len(parts))
	for i := range r.Heads {
		h := &r.Heads[i]
		for _, p := range parts {
			if h.Line == 0 && p.Heads[i].Line > 0 {
				h.Line, h.File = p.Heads[i].Line, p.name
			}
		}
		if gone := func(p *part) bool { return p.gone == h.Log }; h.Line == 0 && !slices.ContainsFunc(parts, gone) {
			of := slices.IndexFunc(parts, func(p *part) bool { return p.main == h.Log })
			lacking[max(of, 0)] = append(lacking[max(of, 0)], *h)
		}
	}
	for i, p := range parts {
		p.tellHeads(lacking[i], i == 0 && p.name != name)
	}
}

// add takes in the verdict on a segment, the oldest one first.
func (r *Report) add(p *part) {
	p.sort()
	r.Files = append(r.Files, p.name)
	r.Bytes += p.Bytes
	r.Lines += p.Lines
	r.Events += p.Events
	r.Operations += p.Operations
	r.Unfinished += p.Unfinished
	r.Omitted += p.found.omitted
	if p.Head.Seq > 0 {
		r.Head = p.Head
	}
	problems := 0
	for problems < len(r.Findings) && r.Findings[problems].Problem {
		problems++
	}
	for _, list := range []*[]Finding{&p.found.problems, &p.found.notes} {
		for i := range *list {
			if (*list)[i].File == "" {
				(*list)[i].File = p.name
			}
		}
	}
	r.Findings = slices.Insert(r.Findings, problems, p.found.problems...)
	r.Findings = append(r.Findings, p.found.notes...)
	for _, g := range p.Untouched {
		g.File = p.name
		r.Untouched = append(r.Untouched, g)
	}
}
