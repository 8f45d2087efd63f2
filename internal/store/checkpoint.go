package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// sealsDir is where the seals lie.
const sealsDir = "v1/seals/"

// errSeal says that an object is not a seal.
var errSeal = errors.New("not a seal")

// errUnsigned says that none of the keys has signed a seal.
var errUnsigned = errors.New("not signed by the key")

// Seal is a checkpoint (c2sp.org/tlog-checkpoint) over the lines of all packs, in the
// order in which they were sealed, and of each pack in its own. Its object is
//
//	v1/seals/0000000001.note
//
//	audit.example.com
//	10000
//	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//	{"v":1,"seal":1,"prev":"00…","pack":"v1/packs/day=…/1.jsonl.zst","lines":10000,"sha256":"…","index":"…","edge":["…"]}
//
//	— audit.example.com Az3grlgtzPICa5OS8npVmf1Myq…
//
// The leaves of the tree are the lines without their LF, as RFC 6962 hashes them. The
// line of JSON is an extension line, so that other programs read it as a checkpoint.
type Seal struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	About

	Sum string // SHA-256 of the object, hex: what the next seal names
}

// About says what a seal adds to the one before.
type About struct {
	V       int      `json:"v"`
	Seal    int64    `json:"seal"`   // 1, 2, 3 …
	Prev    string   `json:"prev"`   // SHA-256 of the seal before, hex; 64 zeros on the first
	Pack    string   `json:"pack"`   // key of the pack that it adds
	Lines   int64    `json:"lines"`  // in the pack
	PackSum string   `json:"sha256"` // of the pack, hex
	Index   string   `json:"index"`  // SHA-256 of the pack's index, hex
	Edge    []string `json:"edge"`   // hashes of the complete subtrees of the tree, from the left
}

// day is that of the pack which the seal adds.
func (s *Seal) day() time.Time {
	day, _ := parsePackKey(s.Pack) // parseSeal takes no other
	return day
}

// noSum stands for the sum of what is before the first seal, or the first line of a log.
var noSum = strings.Repeat("0", 64)

// sealKey is where the n-th seal lies.
func sealKey(n int64) string { return fmt.Sprintf("%s%010d.note", sealsDir, n) }

// parseSealKey reads what sealKey wrote.
func parseSealKey(key string) (n int64, ok bool) {
	_, err := fmt.Sscanf(key, sealsDir+"%d.note", &n)
	return n, err == nil && n > 0 && sealKey(n) == key
}

// text is what is signed.
func (s *Seal) text() string {
	about, err := json.Marshal(s.About)
	if err != nil {
		panic(err) // texts and numbers
	}
	return fmt.Sprintf("%s\n%d\n%s\n%s\n", s.Origin, s.Size, s.Root, about)
}

// sign makes the object.
func (s *Seal) sign(key Signer) ([]byte, error) {
	data, err := note.Sign(&note.Note{Text: s.text()}, key)
	s.Sum = audit.Sum(data)
	return data, err
}

// openSeal reads a seal. Without keys its signature does not count. A seal that is
// returned beside errUnsigned has the right form.
func openSeal(data []byte, keys Keys) (*Seal, error) {
	n, err := note.Open(data, note.VerifierList(keys...))
	var unknown *note.UnverifiedNoteError
	if errors.As(err, &unknown) {
		n = unknown.Note
	} else if err != nil {
		return nil, fmt.Errorf("%w: %w", errSeal, err)
	}
	s, err2 := parseSeal(n.Text)
	if err2 != nil {
		return nil, err2
	}
	s.Sum = audit.Sum(data)
	if len(keys) > 0 && (err != nil || s.Origin != keys[0].Name()) {
		return s, fmt.Errorf("seal of %.80q: %w", s.Origin, errUnsigned)
	}
	return s, nil
}

// maxSize is how many lines a store can have. tlog does not come to an end with more
// than 1<<62.
const maxSize = 1 << 48

// parseSeal reads what text wrote, and refuses any other spelling.
func parseSeal(text string) (*Seal, error) {
	lines := strings.SplitAfter(text, "\n")
	if len(lines) < 4 {
		return nil, fmt.Errorf("%w: it has too few lines", errSeal)
	}
	root, err := tlog.ParseHash(strings.TrimSuffix(lines[2], "\n"))
	s := &Seal{Origin: strings.TrimSuffix(lines[0], "\n"), Root: root}
	_, err2 := fmt.Sscanf(lines[1], "%d\n", &s.Size)
	err3 := json.Unmarshal([]byte(lines[3]), &s.About)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, fmt.Errorf("%w: %w", errSeal, err)
	}
	if s.text() != text || s.V != 1 || s.Seal < 1 || s.Lines < 1 || s.Size < s.Lines || s.Size > maxSize || s.Seal > maxSize {
		return nil, fmt.Errorf("%w: it is not spelt as one", errSeal)
	}
	if _, err := parsePackKey(s.Pack); err != nil {
		return nil, fmt.Errorf("%w: %w", errSeal, err)
	}
	return s, nil
}

// hashes are the stored hashes of a tree that are known: those of its edge, and what
// is added.
type hashes map[int64]tlog.Hash

// ReadHashes is part of tlog.HashReader.
func (h hashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(at))
	for i, n := range at {
		hash, ok := h[n]
		if !ok {
			return nil, fmt.Errorf("hash %d of the tree is not known", n)
		}
		found[i] = hash
	}
	return found, nil
}

// add adds a line as the n-th leaf, counting from 0.
func (h hashes) add(n int64, line []byte) error {
	all, err := tlog.StoredHashes(n, line, h)
	at := tlog.StoredHashIndex(0, n)
	for i, hash := range all {
		h[at+int64(i)] = hash
	}
	return err
}

// edgeOf says where the complete subtrees of a tree are stored: it is what the hash
// of the tree is made of.
func edgeOf(size int64) (at []int64) {
	_, _ = tlog.TreeHash(size, tlog.HashReaderFunc(func(wanted []int64) ([]tlog.Hash, error) {
		at = wanted
		return make([]tlog.Hash, len(wanted)), nil
	}))
	return at
}

// tree are the hashes at the edge of the tree of a seal, nil being the empty one. It
// makes sure that they are those of the root.
func (s *Seal) tree() (hashes, error) {
	h := hashes{}
	if s == nil {
		return h, nil
	}
	at := edgeOf(s.Size)
	if len(at) != len(s.Edge) {
		return nil, fmt.Errorf("%w: it has %d hashes at its edge, not %d", errSeal, len(s.Edge), len(at))
	}
	for i, n := range at {
		hash, err := tlog.ParseHash(s.Edge[i])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSeal, err)
		}
		h[n] = hash
	}
	root, err := tlog.TreeHash(s.Size, h)
	if err != nil || root != s.Root {
		return nil, fmt.Errorf("%w: the hashes at its edge are not of its root", errSeal)
	}
	return h, nil
}

// next is the seal behind this one, nil being before the first, over one more pack,
// and the hashes of its tree that are known.
func (s *Seal) next(origin, pack string, data, index []byte, lines []sealed) (*Seal, hashes, error) {
	h, err := s.tree()
	if err != nil {
		return nil, nil, err
	}
	n := &Seal{Origin: origin, About: About{
		V: 1, Seal: 1, Prev: noSum, Pack: pack, Lines: int64(len(lines)), PackSum: audit.Sum(data), Index: audit.Sum(index),
	}}
	if s != nil {
		n.Size, n.Seal, n.Prev = s.Size, s.Seal+1, s.Sum
	}
	for _, l := range lines {
		if err := h.add(n.Size, l.Line); err != nil {
			return nil, nil, err
		}
		n.Size++
	}
	if n.Root, err = tlog.TreeHash(n.Size, h); err != nil {
		return nil, nil, err
	}
	for _, at := range edgeOf(n.Size) {
		n.Edge = append(n.Edge, h[at].String())
	}
	return n, h, nil
}
