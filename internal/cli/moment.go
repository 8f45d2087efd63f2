package cli

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"
)

// moment is a point in time on the command line, as git takes it; a day, a month
// or a year alone is its first moment.
type moment struct{ time.Time }

// momentForms is what an error names.
const momentForms = `2h, 1h30m, 3 days ago, yesterday, "yesterday 17:00", monday, last week, noon, 2026-11-23, "2026-11-23 17:00", or RFC 3339`

var (
	agoForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:(\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten) ?(seconds?|secs?|s|minutes?|mins?|months?|mo|m|hours?|hrs?|h|days?|d|weeks?|w|years?|yrs?|y)[ ,]*)`)
	})
	clockForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:(.*?\S) (?:at )?|)(\d{1,2}:\d{2}(?::\d{2})?|noon|midnight)$`)
	})
	dayForms = []string{"2006-01-02", "2006-01", "2006"}
	numbers  = []string{"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
)

// parseMoment reads a time; those without an offset are local.
func parseMoment(text string, now time.Time) (time.Time, error) {
	wrong := fmt.Errorf("%q is not a valid time: try %s", text, momentForms)
	if t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(strings.TrimSpace(text))); err == nil {
		return t, nil
	}
	words := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	if date, clock, found := strings.Cut(words, "t"); found && len(date) == len("2026-11-23") && date[0] <= '9' {
		words = date + " " + clock // 2026-11-23T17:00
	}
	if words == "now" {
		return now, nil
	}
	if t, ok := ago(strings.TrimSuffix(words, " ago"), now); ok {
		if t.Year() < 1 {
			return t, fmt.Errorf("%q is too long ago", text)
		}
		return t, nil
	}
	clock, hasClock := "", false
	if m := clockForm().FindStringSubmatch(words); m != nil {
		words, clock, hasClock = m[1], m[2], true
	}
	if unit, last := strings.CutPrefix(words, "last "); last && !hasClock {
		if t, ok := ago("1 "+unit, now); ok {
			return t, nil
		}
	}
	day, ok := day(strings.TrimPrefix(words, "last "), now)
	if !ok && !(words == "" && hasClock) {
		return time.Time{}, wrong
	}
	if !hasClock {
		return day, nil
	}
	t, err := atClock(day, clock)
	if err != nil {
		return time.Time{}, wrong
	}
	if words == "" && t.After(now) && clock[0] > '9' {
		t = t.AddDate(0, 0, -1) // the noon that was
	}
	return t, nil
}

// ago reads how long ago: 1h30m, a week, 3 months.
func ago(text string, now time.Time) (time.Time, bool) {
	at, any := now, false
	for text != "" {
		m := agoForm().FindStringSubmatch(text)
		if m == nil {
			return now, false
		}
		text, any = text[len(m[0]):], true
		n, err := strconv.Atoi(m[1])
		if err != nil {
			n = max(1, slices.Index(numbers, m[1])) // a, an
		}
		n = -min(n, 1_000_000)
		switch unit := m[2]; {
		case strings.HasPrefix(unit, "mo"):
			at = at.AddDate(0, n, 0)
		case unit[0] == 'y':
			at = at.AddDate(n, 0, 0)
		case unit[0] == 'w':
			at = at.AddDate(0, 0, 7*n)
		case unit[0] == 'd':
			at = at.AddDate(0, 0, n)
		case unit[0] == 'h':
			at = at.Add(time.Duration(n) * time.Hour)
		case unit[0] == 'm':
			at = at.Add(time.Duration(n) * time.Minute)
		default:
			at = at.Add(time.Duration(n) * time.Second)
		}
	}
	return at, any
}

// day is the first moment of a day: today for none. A weekday is the last one,
// which may be today.
func day(text string, now time.Time) (time.Time, bool) {
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch text {
	case "today", "":
		return today, text != ""
	case "yesterday":
		return today.AddDate(0, 0, -1), true
	}
	for i, name := range weekdays {
		if text == name || text == name[:3] {
			return today.AddDate(0, 0, -(int(now.Weekday())-i+7)%7), true
		}
	}
	for _, layout := range dayForms {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, true
		}
	}
	return today, false
}

// atClock is a time of a day.
func atClock(day time.Time, clock string) (time.Time, error) {
	clock = strings.NewReplacer("noon", "12:00", "midnight", "00:00").Replace(clock)
	t, err := time.Parse("15:04", clock)
	if err != nil {
		t, err = time.Parse("15:04:05", clock)
	}
	return time.Date(day.Year(), day.Month(), day.Day(), t.Hour(), t.Minute(), t.Second(), 0, day.Location()), err
}

// momentMapper makes the parser read moments.
func momentMapper(now func() time.Time) kong.Option {
	return kong.TypeMapper(reflect.TypeFor[moment](), reads("time", func(text string) (moment, error) {
		t, err := parseMoment(text, now().Local())
		return moment{t}, err
	}))
}
