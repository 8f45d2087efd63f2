package store

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

// indexKey is where the index of a pack lies: beside it.
func indexKey(pack string) string { return strings.TrimSuffix(pack, ".jsonl.zst") + ".index.json" }

// Index says where in a pack to look. It is made of the pack alone, and its sum is
// part of the seal.
type Index struct {
	V      int     `json:"v"`
	Pack   string  `json:"pack"` // SHA-256 of the pack, hex
	Lines  int     `json:"lines"`
	Names  []byte  `json:"names"`  // of the objects of its lines, in their order, each with LF, compressed with zstd
	Frames []Frame `json:"frames"` // in their order, without gaps
}

// Frame is a part of a pack that can be decompressed alone.
type Frame struct {
	Size  int64     `json:"size"`   // bytes in the pack
	Sum   string    `json:"sha256"` // of these bytes, hex
	Lines int       `json:"lines"`
	From  time.Time `json:"from"`  // of the first line
	To    time.Time `json:"to"`    // of the last line
	Words []byte    `json:"words"` // Bloom filter over the words of its lines
}

// parseIndex reads an index.
func parseIndex(data []byte) (x Index, err error) {
	data, names := cutNames(data)
	if err := json.Unmarshal(data, &x); err != nil {
		return x, fmt.Errorf("not an index: %w", err)
	}
	if len(x.Names) == 0 {
		x.Names = names
	}
	if x.V != 1 {
		return x, fmt.Errorf("an index of version %d, not 1", x.V)
	}
	n, size := 0, int64(0)
	for _, f := range x.Frames { // no sum can overflow
		if f.Size <= 0 || f.Size > packLimit-size || f.Lines <= 0 || f.Lines > packLimit-n {
			return x, fmt.Errorf("not an index: a frame of %d bytes and %d lines", f.Size, f.Lines)
		}
		n, size = n+f.Lines, size+f.Size
	}
	if n != x.Lines {
		return x, fmt.Errorf("not an index: %d lines in frames, %d in all", n, x.Lines)
	}
	return x, nil
}

// cutNames takes the names out of an index, if they are where a seal puts them: they
// are four fifths of it, and encoding/json goes over each byte three times. A search
// through a year reads 365 indexes.
func cutNames(data []byte) (rest, names []byte) {
	start := bytes.Index(data, []byte(namesKey)) + len(namesKey)
	if start < len(namesKey) {
		return data, nil
	}
	size := bytes.IndexByte(data[start:], '"')
	if size < 0 {
		return data, nil
	}
	names, err := base64.StdEncoding.AppendDecode(nil, data[start:start+size])
	if err != nil {
		return data, nil
	}
	return slices.Concat(data[:start], data[start+size:]), names
}

const namesKey = `"names":"`

// readIndex reads the index of the pack of a seal. whole is false where it is gone, or
// not what was sealed: then the pack has to be read without it.
func readIndex(ctx context.Context, from Getter, kept *Cache, s *Seal) (x Index, whole bool, err error) {
	data, whole, err := kept.get(s.Index, func() ([]byte, error) { return readAll(ctx, from, indexKey(s.Pack), packLimit) })
	switch {
	case errors.Is(err, ErrNotThere):
		return x, false, nil
	case err != nil || !whole:
		return x, false, err
	}
	x, err = parseIndex(data)
	return x, err == nil, nil
}

// bytes is the object.
func (x Index) bytes() []byte {
	data, err := json.Marshal(x)
	if err != nil {
		panic(err) // texts, numbers and times of four digits a year
	}
	return append(data, '\n')
}

// names are those of the objects of the lines, sorted, each without its LF.
func (x Index) names() (names []string, err error) {
	raw, err := unpacker().DecodeAll(x.Names, nil)
	if err != nil {
		return nil, fmt.Errorf("not an index: %w", err)
	}
	names = make([]string, 0, min(x.Lines, len(raw)))
	for rest, last := string(raw), ""; rest != ""; {
		name, after, whole := strings.Cut(rest, "\n")
		if !whole || name <= last {
			return nil, fmt.Errorf("not an index: name %d is not in its place", len(names)+1)
		}
		names, last, rest = append(names, name), name, after
	}
	if len(names) != x.Lines {
		return nil, fmt.Errorf("not an index: %d names for %d lines", len(names), x.Lines)
	}
	return names, nil
}

// frames reports whether the frames are those of a pack, with the words of its lines.
func (x Index) frames(pack []byte) bool {
	for _, f := range x.Frames {
		if f.Size > int64(len(pack)) {
			return false
		}
		raw, err := unpacker().DecodeAll(pack[:f.Size], nil)
		if err != nil || audit.Sum(pack[:f.Size]) != f.Sum || bytes.Count(raw, []byte("\n")) != f.Lines || !bytes.Equal(wordsOf(raw), f.Words) {
			return false
		}
		pack = pack[f.Size:]
	}
	return len(pack) == 0
}

// May reports whether a line of the frame may have one of the words as a whole JSON
// string: a project, a user, an id, the name of a volume. It is true without words, and
// for a word that no filter has. The caller checks whether a line really has it.
func (f Frame) May(words []string) bool {
	for _, w := range words {
		if !isWord(w) || f.has(w) {
			return true
		}
	}
	return len(words) == 0
}

// The filter: ten bits and seven probes a word err once in a hundred times.
const (
	bitsPerWord = 10
	probes      = 7
	wordLimit   = 40 // longer ones are sums, which nobody searches for
)

// wordsOf makes the filter of lines, each of which is a JSON object.
func wordsOf(raw []byte) []byte {
	found := map[string]bool{}
	for len(raw) > 0 {
		start := bytes.IndexByte(raw, '"')
		if start < 0 {
			break
		}
		size := stringSize(raw[start:])
		text := raw[start : start+size]
		raw = raw[start+size:]
		if bytes.IndexByte(text, '\\') >= 0 { // a letter can be spelt as an escape
			var plain string
			if json.Unmarshal(text, &plain) == nil && isWord(plain) {
				found[plain] = true
			}
		} else if word := text[1 : size-1]; isWord(word) {
			found[string(word)] = true
		}
	}
	filter := make([]byte, (len(found)*bitsPerWord+7)/8+1)
	for w := range found {
		for bit := range bitsOf(w, len(filter)) {
			filter[bit/8] |= 1 << (bit % 8)
		}
	}
	return filter
}

// stringSize is how long the JSON string is that text begins with, with its quotes.
func stringSize(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func (f Frame) has(word string) bool {
	if len(f.Words) == 0 {
		return true
	}
	for bit := range bitsOf(word, len(f.Words)) {
		if f.Words[bit/8]&(1<<(bit%8)) == 0 {
			return false
		}
	}
	return true
}

// bitsOf are the bits of a word in a filter of so many bytes.
func bitsOf(word string, size int) iter.Seq[uint64] {
	h := fnv.New64a()
	_, _ = h.Write([]byte(word))
	sum := h.Sum64()
	a, b := sum&0xffffffff, sum>>32|1
	return func(yield func(uint64) bool) {
		for i := range uint64(probes) {
			if !yield((a + i*b) % uint64(size*8)) {
				return
			}
		}
	}
}

// isWord reports whether a text is spelt in one way in JSON, and is one to look for.
func isWord[T string | []byte](text T) bool {
	if len(text) == 0 || len(text) > wordLimit {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
