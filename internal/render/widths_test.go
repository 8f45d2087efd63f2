package render

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/record"
)

// widths are those of the terminals that every screen is made for.
var widths = []int{80, 120}

// single is a line that cannot be broken: a command to paste, or one word and
// what it is.
var single = regexp.MustCompile(`^ *(|\S+:? +|Try: |To .*: +)((docker |sudo )?ccdestroy .*|docker .*|\S+)$`)

// fits compares a screen with its goldens for all widths, and finds lines that
// are wider and could have been broken.
func fits(t *testing.T, name string, write func(io.Writer, Style) error) {
	t.Helper()
	for _, width := range widths {
		var b bytes.Buffer
		if err := write(&b, Style{Width: width, Height: 24}); err != nil {
			t.Fatal(name, err)
		}
		if b.Len() == 0 {
			t.Errorf("%s: nothing is shown", name)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if runewidth.StringWidth(line) > width && !single.MatchString(line) {
				t.Errorf("%s: wider than %d: %q", name, width, line)
			}
			if strings.HasSuffix(line, " ") {
				t.Errorf("%s: ends in a space: %q", name, line)
			}
		}
		golden(t, fmt.Sprintf("%s-%d.txt", name, width), b.String())
	}
}

// listing is a screen of a history.
func listing(t *testing.T, format Format) func(io.Writer, Style) error {
	return func(w io.Writer, style Style) error {
		l := NewListing(w, format, now, style)
		l.AtWork = func(id string) bool { return strings.HasSuffix(id, "1") }
		l.Undoing = undoable
		for _, r := range records(t) {
			if err := l.Record(r, nil); err != nil {
				return err
			}
		}
		return l.End()
	}
}

// followed is a screen that goes on: with clock times, columns that stay where
// they are, and started where an operation has just begun.
func followed(t *testing.T) func(io.Writer, Style) error {
	return func(w io.Writer, style Style) error {
		l := NewListing(w, Table, now, style)
		l.Undoing = undoable
		l.Follow()
		all := records(t)
		add := func(rows ...audit.Record) (err error) {
			for _, r := range rows {
				err = cmp.Or(err, l.Record(r, nil))
			}
			return cmp.Or(err, l.Flush(now))
		}
		err := add(all[8], all[1])
		l.Live()
		for _, i := range []int{0, 2, 3} {
			err = cmp.Or(err, add(all[i]))
		}
		return err
	}
}

// shown is the screen of one operation.
func shown(t *testing.T, i int) func(io.Writer, Style) error {
	return func(w io.Writer, style Style) error {
		r := records(t)[i]
		r.Seq, r.Log, r.Prev = int64(i)+1, "KLIKZ7NBQEAX2OKNBQDSWOI5FF", strings.Repeat("0123456789abcdef", 4)
		r.V = 1
		return Show(w, []audit.Event{r.Event}, [][]byte{[]byte(r.ID)}, record.Aside{Left: undoable(r.Event, parsed(r))}, now, style)
	}
}

func TestHistoryFits(t *testing.T) {
	time.Local = time.UTC
	for name, write := range map[string]func(io.Writer, Style) error{
		"history": listing(t, Table), "wide": listing(t, Wide), "follow": followed(t),
		"show-pending": shown(t, 1), "show-kept": shown(t, 2), "show-cancelled": shown(t, 3), "show-failed": shown(t, 4), "show-other": shown(t, 8),
	} {
		fits(t, name, write)
	}
}

// A history whose columns have room has one line a row.
func TestWideHasOneLineARow(t *testing.T) {
	time.Local = time.UTC
	var b bytes.Buffer
	if err := listing(t, Wide)(&b, Style{Width: 300}); err != nil || strings.Count(b.String(), "\n") != 11 {
		t.Errorf("%v\n%s", err, b.String())
	}
}
