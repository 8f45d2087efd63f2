package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// remedy is a command that a screen offers, and after which words.
type remedy struct{ label, command string }

// offers are the words before a command that is to be pasted.
var offers = []string{"Try", "To finish", "To bring the volumes back", "To bring back", "To run it again", "To find out", "Undo until", "When the engine is back", "When it can be written", "To make up for it"}

// remediesOf finds the commands that a screen offers, in order. A label ends in a
// colon; its commands follow it, or stand below it and further to the right. Of
// alternatives the first one counts.
func remediesOf(screen string) (all []remedy) {
	label := ""
	for line := range strings.Lines(plainText(screen)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "  ") && label != "" {
			if text := strings.TrimSpace(line); !strings.HasPrefix(text, "#") {
				all = append(all, remedy{label, text})
			}
			continue
		}
		label = ""
		for _, offer := range offers {
			at := strings.LastIndex(line, offer)
			if at < 0 || at > 0 && !strings.HasSuffix(line[:at], ". ") {
				continue
			}
			rest := line[at+len(offer):]
			i := strings.Index(rest, ": ")
			switch {
			case strings.HasSuffix(rest, ":"):
				label = offer
				continue
			case offer == "Undo until": // whose time has a colon too
				i = strings.LastIndex(rest, ": ")
			}
			if i >= 0 {
				first, _, _ := strings.Cut(rest[i+2:], "; or ")
				all = append(all, remedy{offer, first})
			}
		}
	}
	return all
}

// shows is the command by which the screen shows the operation that it recorded.
var shows = regexp.MustCompile(`(?m)^Recorded as \S+ \((.*)\)\.`)

// obey runs the commands that a screen offers under a label, as they are printed,
// and fails the test where there is none or where one fails. The program is on the
// PATH, as it is for who reads the screen.
func (s *stack) obey(screen, label string) (last result) {
	s.t.Helper()
	if pathOf(s.env) == os.Getenv("PATH") {
		s.env = append(s.env, "PATH="+filepath.Dir(binary)+":"+pathOf(s.env))
	}
	all := slices.DeleteFunc(remediesOf(screen), func(r remedy) bool { return r.label != label })
	if len(all) == 0 {
		s.t.Fatalf("the screen offers nothing by %q:\n%s", label, screen)
	}
	for _, one := range all {
		last = run(s.t, s.command("", "sh", "-c", one.command))
		if last.code != 0 {
			s.t.Fatalf("%s: %s: exit %d\n%s%s\nThe screen:\n%s", label, one.command, last.code, last.stdout, last.stderr, screen)
		}
	}
	return last
}
