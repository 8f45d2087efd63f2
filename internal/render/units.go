package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

func sizeOf(s *inventory.Size) string {
	if s == nil {
		return "unknown"
	}
	return human(s.Bytes)
}

// human puts a space between number and unit: "1.8 GB", "412 MB", "12 kB".
func human(n int64) string {
	text := units.HumanSizeWithPrecision(float64(n), 3)
	i := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	return text[:i] + " " + text[i:]
}

// Bytes is a size in the units of all screens.
func Bytes(n int64) string { return human(n) }

// about are words of the docker CLI that say no more than numbers, at greater length.
var about = strings.NewReplacer("Less than a second", "0 seconds", "About a minute", "1 minute", "About an hour", "1 hour")

// ago is the time since t as the docker CLI puts it, in numbers alone: "2 minutes",
// "3 days".
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return about.Replace(units.HumanDuration(now.Sub(t)))
}

// narrow is the width below which times are abbreviated.
const narrow = 100

// when is "2 hours ago", or "2h ago" where there is little room.
func (s Style) when(now, t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	text := ago(now, t) + " ago"
	if s.Width == 0 || s.Width >= narrow {
		return text
	}
	short := strings.NewReplacer(
		" seconds", "s", " second", "s", " minutes", "m", " hours", "h", " days", "d", " weeks", "w", " months", "mo", " years", "y")
	return short.Replace(text)
}

func since(now time.Time, rfc3339 string) string {
	t, _ := time.Parse(time.RFC3339, rfc3339)
	return ago(now, t)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// Count is "1 volume", "3 volumes".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
