package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// errProof says that a file is not a proof, or proves nothing.
var errProof = errors.New("not a proof")

// Proof says of the sealed events of one operation that they are in a store. Each
// event has a proof of its own, as c2sp.org/tlog-proof has it: its place, the hashes
// that lead from it to the root of a checkpoint, and the checkpoint.
type Proof struct {
	V      int           `json:"v"`
	Events []ProvenEvent `json:"events"` // in the order in which they were sealed
}

// ProvenEvent is one event of a proof.
type ProvenEvent struct {
	Line  string `json:"line"`  // of the log, without its LF
	Proof string `json:"proof"` // that it is a leaf of the tree
}

// Prove makes a proof of all sealed events of the operation whose id begins with
// prefix. A whole id is found with the indexes of the packs; for less all packs are
// read. Nothing is proved of an operation that has no sealed event:
// audit.ErrNotFound.
func Prove(ctx context.Context, from Reader, keys Keys, prefix string) (p Proof, err error) {
	seals, findings, err := readSeals(ctx, from, keys)
	if err != nil {
		return p, err
	}
	for _, f := range findings {
		return p, &BrokenError{f}
	}
	p.V = 1
	var ids []string
	var last *Seal
	for _, s := range seals {
		may, err := mayHold(ctx, from, s, prefix)
		if err != nil {
			return p, err
		}
		if may {
			events, in, err := proveIn(ctx, from, last, s, prefix)
			if err != nil {
				return p, err
			}
			p.Events, ids = append(p.Events, events...), append(ids, in...)
		}
		last = s
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	switch {
	case len(ids) == 0:
		return p, fmt.Errorf("%q: %w is sealed in %v", prefix, audit.ErrNotFound, from)
	case len(ids) > 1:
		return p, &audit.AmbiguousError{Prefix: prefix, IDs: ids[max(0, len(ids)-3):]}
	}
	return p, nil
}

// mayHold asks the index of a pack, as long as it is the one that was sealed.
func mayHold(ctx context.Context, from Getter, s *Seal, id string) (bool, error) {
	if len(id) < ulid.EncodedSize {
		return true, nil
	}
	x, whole, err := readIndex(ctx, from, nil, s)
	if err != nil || !whole {
		return err == nil, err
	}
	return slices.ContainsFunc(x.Frames, func(f Frame) bool { return f.May([]string{strings.ToUpper(id), id}) }), nil
}

// proveIn proves the events of one pack.
func proveIn(ctx context.Context, from Getter, last, s *Seal, prefix string) (events []ProvenEvent, ids []string, err error) {
	data, lines, err := readPack(ctx, from, s)
	if err != nil {
		return nil, nil, err
	}
	again, tree, err := last.next(s.Origin, s.Pack, data, nil, lines)
	if err != nil || again.Root != s.Root {
		return nil, nil, &BrokenError{problem(PackRewritten, s.Pack, "it is not the one that was sealed")}
	}
	checkpoint, err := readAll(ctx, from, sealKey(s.Seal), maxSeal)
	if err != nil {
		return nil, nil, err
	}
	for i, l := range lines {
		if !strings.HasPrefix(strings.ToUpper(l.Key.ID), strings.ToUpper(prefix)) {
			continue
		}
		if !utf8.Valid(l.Line) {
			return nil, nil, fmt.Errorf("line %d of %s is not UTF-8", i+1, s.Pack)
		}
		at := s.Size - s.Lines + int64(i)
		way, err := tlog.ProveRecord(s.Size, at, tree)
		if err != nil {
			return nil, nil, err
		}
		events, ids = append(events, ProvenEvent{string(l.Line), formatProof(at, way, checkpoint)}), append(ids, l.Key.ID)
	}
	return events, ids, nil
}

// proofHead is the first line of a proof.
const proofHead = "c2sp.org/tlog-proof@v1\n"

func formatProof(at int64, way tlog.RecordProof, checkpoint []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%sindex %d\n", proofHead, at)
	for _, h := range way {
		fmt.Fprintln(&b, h)
	}
	b.WriteByte('\n')
	b.Write(checkpoint)
	return b.String()
}

// Bytes is the file of a proof.
func (p Proof) Bytes() ([]byte, error) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	err := out.Encode(p)
	return b.Bytes(), err
}

// Proven is what a proof proves of one event.
type Proven struct {
	audit.Event
	Line  []byte
	Index int64 // its place among all lines that are sealed, from 0
	Seal  int64
	Pack  string
}

// CheckProof checks a proof with nothing but the keys. All of its events are of one
// operation then, and each was sealed by the key.
func CheckProof(data []byte, keys Keys) (proven []Proven, err error) {
	var p Proof
	if err := json.Unmarshal(data, &p); err != nil || p.V != 1 || len(p.Events) == 0 || len(keys) == 0 {
		return nil, fmt.Errorf("%w: as ccdestroy audit prove writes them", errProof)
	}
	for i, e := range p.Events {
		one, err := e.check(keys)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", i+1, err)
		}
		if len(proven) > 0 && one.ID != proven[0].ID {
			return nil, fmt.Errorf("%w: its events are of several operations", errProof)
		}
		proven = append(proven, one)
	}
	return proven, nil
}

func (e ProvenEvent) check(keys Keys) (p Proven, err error) {
	head, checkpoint, ok := strings.Cut(e.Proof, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 2 || lines[0]+"\n" != proofHead {
		return p, fmt.Errorf("%w of a place in a log", errProof)
	}
	s, err := openSeal([]byte(checkpoint), keys)
	if err != nil {
		return p, err
	}
	at, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil || lines[1] != fmt.Sprintf("index %d", at) {
		return p, fmt.Errorf("%w: %.80q is no place", errProof, lines[1])
	}
	var way tlog.RecordProof
	for _, line := range lines[2:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return p, fmt.Errorf("%w: %w", errProof, err)
		}
		way = append(way, h)
	}
	if at < 0 || at >= s.Size || tlog.CheckRecord(way, s.Size, s.Root, at, tlog.RecordHash([]byte(e.Line))) != nil {
		return p, fmt.Errorf("%w: the event is not the one that was sealed", errProof)
	}
	event, err := audit.Parse([]byte(e.Line))
	if err != nil {
		return p, fmt.Errorf("%w: %w", errProof, err)
	}
	return Proven{event, []byte(e.Line), at, s.Seal, s.Pack}, nil
}
