package hook

import (
	"maps"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// How deep scripts may be nested in scripts, and how many are followed. A few words
// make millions: each of sudo eval sudo eval … can be the one that counts.
const (
	depthLimit  = 8
	scriptLimit = 1000
)

// Judge decides on a shell command, run in a directory.
func Judge(command, dir string) (v Verdict) {
	j := &judge{dir: dir, known: map[string]expand.Variable{}, aliases: map[string]string{}}
	defer func() {
		if recover() != nil { // the parser is not ours, and an agent may write anything
			j.unclear(command, "it cannot be parsed")
			v = j.worst
		}
	}()
	j.script(command)
	return j.worst
}

// judge follows one script. What it cannot follow counts as unknown.
type judge struct {
	dir     string                     // working directory; "" is not known
	known   map[string]expand.Variable // with known values
	aliases map[string]string
	depth   int
	scripts int // that were followed
	worst   Verdict
}

func (j *judge) find(d Decision, reason string) {
	if d == Deny && j.worst.Decision != Deny || d == Ask && j.worst.Decision == Pass {
		j.worst = Verdict{d, reason}
	}
}

// unclear asks about a text that cannot be followed, if it names docker.
func (j *judge) unclear(text, why string) {
	if strings.Contains(strings.ToLower(text), "docker") {
		j.find(Ask, "This names docker, and "+why+": it may destroy volumes.")
	}
}

// script judges a whole script.
func (j *judge) script(text string) {
	switch {
	case j.scripts == scriptLimit:
		j.find(Ask, "This runs more than can be followed: it may destroy volumes.")
		return
	case j.depth == depthLimit:
		j.unclear(text, "it is nested too deeply to follow")
		return
	}
	j.scripts++
	j.depth++
	defer func() { j.depth-- }()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		j.unclear(text, "it cannot be parsed")
		return
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.Subshell: // its changes to variables and directory end with it
			j.apart(n.Stmts)
			return false
		case *syntax.Stmt:
			j.fed(n)
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe || n.Op == syntax.PipeAll {
				j.piped(n)
			}
		case *syntax.DeclClause:
			j.assign(n.Args)
		case *syntax.CallExpr:
			j.call(n)
		}
		return true
	})
}

func (j *judge) apart(stmts []*syntax.Stmt) {
	was, dir, aliases := maps.Clone(j.known), j.dir, maps.Clone(j.aliases)
	for _, s := range stmts {
		j.script(source(s))
	}
	j.known, j.dir, j.aliases = was, dir, aliases
}

// call judges one command with its arguments.
func (j *judge) call(c *syntax.CallExpr) {
	j.assign(c.Assigns)
	if len(c.Args) > 0 {
		j.command(j.words(c.Args))
	}
}

func source(n syntax.Node) string {
	var b strings.Builder
	_ = syntax.NewPrinter().Print(&b, n) // into memory
	return b.String()
}

// unknown judges a command whose name is not known: by what its arguments would
// mean to docker.
func (j *judge) unknown(words []word) {
	also := &judge{dir: j.dir, known: j.known, aliases: j.aliases, depth: j.depth}
	also.docker("docker", words[1:])
	also.compose("docker compose", words[1:])
	if also.worst.Decision == Deny {
		j.find(Ask, "This may be docker, and destroys volumes then.")
	}
	j.unclear(words[0].text, "the program is unknown")
}
