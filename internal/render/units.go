package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/contextcore/ccdestroy/internal/teardown"
)

func sizeOf(s *teardown.Size) string {
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

// ago is the time since t as the docker CLI puts it: "2 minutes", "3 days".
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return units.HumanDuration(now.Sub(t))
}

func since(now time.Time, rfc3339 string) string {
	t, _ := time.Parse(time.RFC3339, rfc3339)
	return ago(now, t)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// count is "1 volume", "3 volumes".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
