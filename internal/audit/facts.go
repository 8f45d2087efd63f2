package audit

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"strings"
)

// digest is a SHA-256.
type digest [32]byte

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// factKind is what sort of line a fact is about.
type factKind byte

const (
	isChained factKind = iota
	isSeed             // an event of the Python module
	isBad              // no event
	tooNew             // an event of a newer format version
)

// fact is what verifying needs to know of one chained line, or of some other
// lines of one kind that follow each other.
type fact struct {
	kind   factKind
	lines  int64
	offset int64 // of the first byte of the first line
	last   int64 // of the first byte of the last line
	end    int64 // behind the last line and its LF
	ended  bool  // by an LF
	sum    digest
	bad    string // why the first line is no event

	// Of chained lines only:
	prev    digest
	seq     int64
	log     string
	id      string
	pending bool
	op      string // of a pending event
	claims  *claims
}

// claims is what an event says of lines before it: of those that are not
// chained, and, of event 1, of the segment before.
type claims struct {
	Recovered *tornTail
	Unchained *looseLines
	Continues *Link
}

// factsOf reads the lines of a block.
func factsOf(r io.ReaderAt, b block) (facts []fact, err error) {
	facts = make([]fact, 0, len(b.data)/1024)
	log := "" // nearly always the same on each line
	for l := range b.lines {
		f := fact{lines: 1, offset: l.offset, last: l.offset, end: l.offset + l.size, ended: l.ended}
		if l.ended {
			f.end++
		}
		if f.sum, err = l.sum(r); err != nil {
			return nil, err
		}
		p, err := l.parse()
		switch {
		case errors.Is(err, ErrVersion):
			f.kind, f.bad = tooNew, err.Error()
		case err != nil:
			f.kind, f.bad = isBad, strings.TrimPrefix(err.Error(), "malformed: ")
		case !p.chained():
			f.kind = isSeed
		default:
			if raw := p.fields[keyLog]; string(raw[1:len(raw)-1]) != log {
				log = text(raw)
			}
			f.log = log
			f.fill(&p)
		}
		if n := len(facts) - 1; n >= 0 && f.kind != isChained && facts[n].kind == f.kind {
			facts[n].join(f)
			continue
		}
		facts = append(facts, f)
	}
	return facts, nil
}

// join adds the lines of another fact, which follow.
func (f *fact) join(next fact) {
	f.lines += next.lines
	f.last, f.end, f.ended, f.sum = next.last, next.end, next.ended, next.sum
}

// fill takes over what a chained event says.
func (f *fact) fill(p *parsed) {
	prev := p.fields[keyPrev]
	_, _ = hex.Decode(f.prev[:], prev[1:len(prev)-1]) // it was checked
	f.seq, f.id, f.pending = p.seq, text(p.fields[keyID]), p.outcome == Pending
	if f.pending {
		f.op = text(p.fields[keyOperation])
	}
	details := p.fields[keyDetails]
	if bytes.Contains(details, []byte(`"recovered"`)) || bytes.Contains(details, []byte(`"unchained"`)) {
		f.claims = claimsIn(details)
	}
	if f.seq == 1 && bytes.Contains(details, []byte(`"continues"`)) {
		if f.claims == nil {
			f.claims = &claims{}
		}
		f.claims.Continues = linkIn(details, "continues")
	}
}

func number(value []byte) int64 {
	n, _ := strconv.ParseInt(string(value), 10, 64)
	return n
}

// claimsIn reads what details say of other lines. Names in another case, and
// values of another type, say nothing.
func claimsIn(details []byte) *claims {
	var c claims
	_ = scanObject(details, func(key, value []byte) error { // it was scanned before
		if name := string(key); (name != "recovered" && name != "unchained") || value[0] != '{' {
			return nil
		}
		var l looseLines
		_ = scanObject(value, func(key, value []byte) error {
			switch name := string(key); {
			case name == "lines":
				l.Lines = int(number(value))
			case name == "bytes":
				l.Bytes = number(value)
			case name == "sha256" && value[0] == '"':
				l.SHA256 = text(value)
			case name == "after" && value[0] == '"':
				l.After = text(value)
			}
			return nil
		})
		if string(key) == "recovered" {
			c.Recovered = &tornTail{Bytes: l.Bytes, SHA256: l.SHA256, After: l.After}
		} else {
			c.Unchained = &l
		}
		return nil
	})
	return &c
}
