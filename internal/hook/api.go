package hook

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// http judges a call of the engine's API.
func (j *judge) http(args []word) {
	text := join(args)
	change := strings.Contains(text, "DELETE") || strings.Contains(text, "prune")
	if change && strings.Contains(text, "docker") || strings.Contains(text, "/volumes/prune") || strings.Contains(text, "DELETE") && strings.Contains(text, "/volumes/") {
		j.find(Ask, "This calls the engine's API, and may destroy volumes.")
	}
}

// pipedHTTP judges a call that is typed by hand, and piped into the socket.
func (j *judge) pipedHTTP(left *syntax.Stmt, right *syntax.CallExpr) {
	words := j.words(right.Args)
	if len(words) > 0 && slices.Contains([]string{"nc", "ncat", "socat", "curl"}, base(words[0].text)) {
		j.http(append(words, word{text: source(left)}))
	}
}
