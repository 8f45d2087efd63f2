package cli

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// moment is a point in time on the command line, as git and journalctl take it.
type moment struct{ time.Time }

// momentForms is what an error names.
const momentForms = "2h, 3d, 2w, yesterday, today, 2026-11-23, \"2026-11-23 17:00\", or RFC 3339"

var (
	agoForm = regexp.MustCompile(`^(\d+) ?(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)( ago)?$`)
	layouts = []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05"}
)

// parseMoment reads a time; those without an offset are local, a day alone is
// its first moment.
func parseMoment(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch text {
	case "now":
		return now, nil
	case "today":
		return today, nil
	case "yesterday":
		return today.AddDate(0, 0, -1), nil
	}
	if m := agoForm.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || n > 100_000 {
			return time.Time{}, fmt.Errorf("%q is too long ago", text)
		}
		switch m[2][0] {
		case 'w':
			return now.AddDate(0, 0, -7*n), nil
		case 'd':
			return now.AddDate(0, 0, -n), nil
		case 'h':
			return now.Add(-time.Duration(n) * time.Hour), nil
		case 'm':
			return now.Add(-time.Duration(n) * time.Minute), nil
		}
		return now.Add(-time.Duration(n) * time.Second), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: try %s", text, momentForms)
}

// momentMapper makes the parser read moments.
func momentMapper(now func() time.Time) kong.Option {
	return kong.TypeMapper(reflect.TypeFor[moment](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("time", &text); err != nil {
			return err
		}
		t, err := parseMoment(text, now().Local())
		if err != nil {
			return err
		}
		target.Set(reflect.ValueOf(moment{t}))
		return nil
	}))
}
