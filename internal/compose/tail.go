package compose

import (
	"regexp"
	"strings"
	"sync"
)

// tailSize is how much of the child's error output is recorded; tailRaw is how
// much is kept for that, since a progress display is mostly control sequences.
const (
	tailSize = 8 << 10
	tailRaw  = 64 << 10
)

// tailWriter keeps the end of what is written to it.
type tailWriter struct {
	buf []byte
	cut bool // buf begins in the middle
}

func (t *tailWriter) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailRaw; over > tailRaw {
		t.buf = append(t.buf[:0], t.buf[over:]...)
		t.cut = true
	}
	return len(p), nil
}

// escapes are CSI, OSC and two-byte escape sequences.
var escapes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])`)
})

// String is the last 8 KiB as plain lines: without control sequences, and
// without lines that only repeat the one before.
func (t *tailWriter) String() string {
	raw := string(t.buf)
	if t.cut { // perhaps in the middle of a sequence
		_, raw, _ = strings.Cut(raw, "\n")
	}
	text := escapes().ReplaceAllString(raw, "")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t")
		if line == "" || len(lines) > 0 && lines[len(lines)-1] == line {
			continue
		}
		lines = append(lines, line)
	}
	out := strings.ToValidUTF8(strings.Join(lines, "\n"), "�")
	if len(out) > tailSize {
		out = strings.ToValidUTF8(out[len(out)-tailSize:], "")
	}
	return out
}
