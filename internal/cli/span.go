package cli

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
)

// span is a length of time on the command line: 7d, 2w, 12h, 90m, or 0.
type span time.Duration

var spanForm = regexp.MustCompile(`^(\d{1,5})([smhdw])$`)

var spanUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

func parseSpan(text string) (span, error) {
	if text == "0" {
		return 0, nil
	}
	if m := spanForm.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		return span(time.Duration(n) * spanUnits[m[2]]), err
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return span(d), nil
	}
	return 0, fmt.Errorf("%q is not a length of time: try 7d, 2w, 12h, or 0", text)
}

// Decode is called by the parser.
func (s *span) Decode(ctx *kong.DecodeContext) error {
	var text string
	err := ctx.Scan.PopValueInto("time", &text)
	if err == nil {
		*s, err = parseSpan(text)
	}
	return err
}
