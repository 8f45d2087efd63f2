package hook

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// inner judges words that make a script.
func (j *judge) inner(words []word) {
	if slices.ContainsFunc(words, func(w word) bool { return w.unknown }) {
		j.unclear(join(words), "what it runs is unknown")
		return
	}
	j.script(join(words))
}

// fed judges what a shell, or another language, is given as a here-document.
func (j *judge) fed(s *syntax.Stmt) {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok {
		return
	}
	words, reads := j.words(call.Args), j.reads(call)
	speaks := len(words) > 0 && slices.Contains(interpreters, base(words[0].text))
	for _, r := range s.Redirs {
		given := r.Hdoc
		if r.Op == syntax.WordHdoc {
			given = r.Word
		}
		switch {
		case given == nil:
		case reads:
			j.given(given)
		case speaks:
			j.code(source(given))
		}
	}
}

func (j *judge) given(w *syntax.Word) {
	text, known := j.text(w)
	if !known {
		j.unclear(source(w), "what is run is unknown")
		return
	}
	j.script(text)
}

// reads reports whether a command is a shell that reads its script, or a program
// that runs one.
func (j *judge) reads(c *syntax.CallExpr) bool {
	words := j.words(c.Args)
	return slices.ContainsFunc(words, func(w word) bool {
		return slices.Contains(shells, base(w.text)) || slices.Contains(readers, base(w.text))
	}) &&
		!slices.ContainsFunc(words, func(w word) bool { return w.text == "-c" })
}

// piped judges what a shell reads from a pipe: echo's words are a script, and of
// other programs nothing is known.
func (j *judge) piped(b *syntax.BinaryCmd) {
	right, ok := b.Y.Cmd.(*syntax.CallExpr)
	if !ok {
		return
	}
	// xargs rm of what a program lists.
	removes := slices.ContainsFunc(j.words(right.Args), func(w word) bool { return base(w.text) == "rm" })
	if left, ok := b.X.Cmd.(*syntax.CallExpr); ok && removes && slices.ContainsFunc(j.words(left.Args), j.holdsVolumes) {
		j.find(Deny, behind+insteadOf+instead)
	}
	j.pipedHTTP(b.X, right)
	if !j.reads(right) {
		return
	}
	if left, ok := b.X.Cmd.(*syntax.CallExpr); ok && j.printed(left) {
		return
	}
	j.unclear(source(b.X), "what the shell reads is unknown")
}

// printed judges what echo and printf print, and a shell reads.
func (j *judge) printed(c *syntax.CallExpr) bool {
	words := j.words(c.Args)
	if len(words) == 0 || words[0].unknown {
		return false
	}
	args := words[1:]
	switch base(words[0].text) {
	case "echo":
		for len(args) > 0 && slices.Contains([]string{"-e", "-n", "-E", "-en", "-ne"}, args[0].text) {
			args = args[1:]
		}
	case "printf":
		if len(args) > 0 && !slices.ContainsFunc(args, func(w word) bool { return w.unknown }) {
			var rest []string
			for _, a := range args[1:] {
				rest = append(rest, a.text)
			}
			if text, _, err := expand.Format(j.config(), args[0].text, rest); err == nil {
				args = []word{{text: text}}
			}
		}
	default:
		return false
	}
	j.inner(args)
	return true
}

// shell judges sh -c SCRIPT. What it reads from elsewhere is judged there.
func (j *judge) shell(args []word) {
	j.substituted(args)
	asked := false
	for i, a := range args {
		switch flag := strings.HasPrefix(a.text, "-"); {
		case flag && !strings.HasPrefix(a.text, "--") && strings.Contains(a.text, "c"):
			asked = true
		case asked && !flag:
			j.inner(args[i : i+1])
			j.passedOn(args[i+1:]) // as "$@"
			return
		}
	}
}

// substituted judges <(…), of which a shell runs the output.
func (j *judge) substituted(args []word) {
	for _, a := range args {
		if a.unknown && strings.HasPrefix(a.text, "<(") && !strings.Contains(a.text, "completion") {
			j.unclear(a.text, "what the shell reads is unknown")
		}
	}
}

// alias notes what is to be another name of something.
func (j *judge) alias(args []word) {
	for _, a := range args {
		if name, value, ok := strings.Cut(a.text, "="); ok && !a.unknown {
			j.aliases[name] = value
		}
	}
}

func (j *judge) aliased(name, value string, args []word) {
	delete(j.aliases, name) // not within itself
	defer func() { j.aliases[name] = value }()
	for _, a := range args {
		if text, err := syntax.Quote(a.text, syntax.LangBash); err == nil && !a.unknown {
			value += " " + text
		} else {
			value += " $_unknown"
		}
	}
	j.script(value)
}

// inCode are calls of docker in other languages: as a text, or as a list of words.
var inCode = sync.OnceValue(func() *regexp.Regexp {
	const gap = `['",\s]+`
	return regexp.MustCompile(`(?i)(docker|podman|nerdctl)` + gap + `(volume` + gap + `(rm|remove|prune)|system` + gap + `prune[^;]*--volumes)\b` +
		`|(docker|podman|nerdctl)(-|` + gap + `)compose\b[^;]*\bdown\b[^;]*['"\s](--volumes|-[a-z]*v)\b`)
})

// code judges a script of another language by what it says.
func (j *judge) code(text string) {
	if inCode().MatchString(text) {
		j.find(Ask, "This seems to have docker destroy volumes.")
	}
}
