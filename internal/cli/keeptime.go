package cli

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/alecthomas/kong"
)

// keepTime is a length of time on the command line: 7d, 2w, 12h, 90m, or 0.
type keepTime time.Duration

var keepForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\d{1,5})([smhdw])$`) })

var keepUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

func parseKeepTime(text string) (keepTime, error) {
	if text == "0" {
		return 0, nil
	}
	if m := keepForm().FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if unit := keepUnits[m[2]]; err == nil && n <= int(math.MaxInt64/unit) {
			return keepTime(time.Duration(n) * unit), nil
		}
		return 0, fmt.Errorf("%q is too long: at most %dw", text, math.MaxInt64/keepUnits["w"])
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return keepTime(d), nil
	}
	return 0, fmt.Errorf("%q is not a length of time: try 7d, 2w, 12h, or 0", text)
}

// String is the length as Go writes it.
func (s *keepTime) String() string {
	if s == nil {
		return ""
	}
	return time.Duration(*s).String()
}

// Decode is called by the parser.
func (s *keepTime) Decode(ctx *kong.DecodeContext) error {
	var text string
	err := ctx.Scan.PopValueInto("time", &text)
	if err == nil {
		*s, err = parseKeepTime(text)
	}
	return err
}
