package audit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/logs"
)

// linesBy reads a text by the spans and returns what it finds in the order of
// the file, with a mark where no LF follows.
func linesBy(t *testing.T, text []byte, spans func(int64) func(int) (span, bool), reverse bool) (all []string) {
	t.Helper()
	work := func(b block) (lines []string, err error) {
		iterate := b.lines
		if reverse {
			iterate = b.reversed
		}
		for l := range iterate {
			end := l.offset + l.size
			if l.size <= maxLine && !bytes.Equal(l.data, text[l.offset:end]) {
				return nil, fmt.Errorf("a line at %d has another content", l.offset)
			}
			if l.ended != (end < int64(len(text))) {
				return nil, fmt.Errorf("ended is wrong at %d", l.offset)
			}
			lines = append(lines, fmt.Sprintf("%d+%d", l.offset, l.size))
		}
		return lines, nil
	}
	size := int64(len(text))
	err := inOrder(bytes.NewReader(text), size, spans(size), work, func(lines []string) (bool, error) {
		all = append(all, lines...)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if reverse {
		slices.Reverse(all)
	}
	return all
}

func simpleLines(text []byte) (all []string) {
	at := 0
	for line := range bytes.Lines(text) {
		all = append(all, fmt.Sprintf("%d+%d", at, len(bytes.TrimSuffix(line, []byte("\n")))))
		at += len(line)
	}
	return all
}

// Blocks, from either end and in parallel, have every line once, wherever the
// spans cut them.
func TestBlocks(t *testing.T) {
	texts := []string{"", "\n", "a", "a\n", "a\nb", "\n\na\n\n", strings.Repeat("line\n", 900_000), strings.Repeat("\n", 3*spanSize)}
	around := often(2, 0)
	for d := -around; d <= around; d++ {
		texts = append(texts,
			strings.Repeat("x", spanSize+d)+"\ny\n"+strings.Repeat("z", spanSize/4+d),
			strings.Repeat("x\n", spanSize)+strings.Repeat("y", spanSize/64+d),
			strings.Repeat("x", 3*spanSize+d)+"\n\n"+strings.Repeat("y", spanSize+d)+"\n",
			"a\n"+strings.Repeat("x", maxLine+d)+"\nb\n"+strings.Repeat("x", maxLine+d))
	}
	if !testing.Short() {
		texts = append(texts, "a\n"+strings.Repeat("x", 5*maxLine/2)+"\nb\n"+strings.Repeat("y", 2*maxLine))
	}
	for i, text := range texts {
		want := simpleLines([]byte(text))
		if got := linesBy(t, []byte(text), forward, false); !slices.Equal(got, want) {
			t.Errorf("text %d forward: %d lines, not %d", i, len(got), len(want))
		}
		for name, spans := range map[string]func(int64) func(int) (span, bool){"backward": backward, "tailward": tailward} {
			if got := linesBy(t, []byte(text), spans, true); !slices.Equal(got, want) {
				t.Errorf("text %d %s: %d lines, not %d", i, name, len(got), len(want))
			}
		}
	}
}

// A file that is cut while it is read is an error, not a short log.
func TestCutWhileReading(t *testing.T) {
	text := []byte(strings.Repeat("line\n", 900_000))
	err := inOrder(bytes.NewReader(text[:len(text)/2]), int64(len(text)), forward(int64(len(text))),
		func(block) (int, error) { return 0, nil }, func(int) (bool, error) { return true, nil })
	if err == nil {
		t.Error("no error")
	}
}

func TestKeep(t *testing.T) {
	data := []byte("one prune\ntwo\nthree \\u0070rune\n\nfour\nfive prune prune\nsix prune")
	want := "one prune\nthree \\u0070rune\nfive prune prune\nsix prune"
	if got := keep(bytes.Clone(data), []string{"prune"}); string(got) != want {
		t.Errorf("%q", got)
	}
	if got := keep(bytes.Clone(data), nil); !bytes.Equal(got, data) {
		t.Errorf("%q", got)
	}
	if got := keep(bytes.Clone(data), []string{"two", "four"}); string(got) != "two\nthree \\u0070rune\nfour\n" {
		t.Errorf("%q", got)
	}
}

// FuzzBlocks: reading from the end finds what reading from the beginning finds.
func FuzzBlocks(f *testing.F) {
	f.Add([]byte("a\nbb\n\nccc"), uint16(3))
	f.Fuzz(func(t *testing.T, text []byte, repeat uint16) {
		text = bytes.Repeat(text, int(repeat)+1)
		if len(text) > 4*spanSize {
			return
		}
		want := simpleLines(text)
		if !slices.Equal(linesBy(t, text, forward, false), want) || !slices.Equal(linesBy(t, text, backward, true), want) || !slices.Equal(linesBy(t, text, tailward, true), want) {
			t.Error("the ways differ")
		}
	})
}

// A filtered reading finds what reading everything finds.
func TestFilteredHistory(t *testing.T) {
	var b bytes.Buffer
	if err := logs.Write(&b, logs.Options{Seed: 3, Bytes: 5 << 20, Prunes: 9}); err != nil {
		t.Fatal(err)
	}
	l := fileLog(t, b.Bytes())
	for _, operation := range []string{"prune", "destroy", "restore", "nothing_like_it"} {
		var all, filtered []string
		for q, list := range map[*Query]*[]string{{}: &all, {Words: []string{operation}}: &filtered} {
			if _, err := l.History(*q, func(r Record, _ []byte) error {
				if r.Operation == operation {
					*list = append(*list, r.ID+string(r.Outcome))
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(all, filtered) || (len(all) == 0) != (operation == "nothing_like_it") {
			t.Errorf("%s: %d, filtered %d", operation, len(all), len(filtered))
		}
	}
}
