package hook

import (
	"errors"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// depthLimit is how deep scripts may be nested in scripts.
const depthLimit = 8

// Judge decides on a shell command, run in a directory.
func Judge(command, dir string) (v Verdict) {
	j := &judge{dir: dir, known: map[string]string{}}
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
	dir   string            // working directory; "" is not known
	known map[string]string // variables with known values
	depth int
	worst Verdict
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
	if j.depth++; j.depth > depthLimit {
		j.unclear(text, "it is nested too deeply to follow")
		return
	}
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
		case *syntax.CallExpr:
			j.call(n)
		}
		return true
	})
}

func (j *judge) apart(stmts []*syntax.Stmt) {
	was, dir := maps.Clone(j.known), j.dir
	for _, s := range stmts {
		j.script(source(s))
	}
	j.known, j.dir = was, dir
}

// call judges one command with its arguments.
func (j *judge) call(c *syntax.CallExpr) {
	for _, a := range c.Assigns {
		value, known := "", true
		if a.Value != nil {
			value, known = j.text(a.Value)
		}
		if delete(j.known, a.Name.Value); known && a.Array == nil && !a.Append {
			j.known[a.Name.Value] = value
		}
	}
	if len(c.Args) > 0 {
		j.command(j.words(c.Args))
	}
}

// word is one argument; of an unknown one text is its source.
type word struct {
	text    string
	unknown bool
}

// words are the arguments after expansion: one word of the source can be several.
func (j *judge) words(args []*syntax.Word) (out []word) {
	for _, a := range args {
		fields, err := expand.Fields(j.config(), a)
		if err != nil {
			out = append(out, word{source(a), true})
			continue
		}
		for _, f := range fields {
			out = append(out, word{text: f})
		}
	}
	return out
}

// text is a word without splitting, if it is known.
func (j *judge) text(w *syntax.Word) (string, bool) {
	text, err := expand.Literal(j.config(), w)
	return text, err == nil
}

// config expands only known variables: no command is run, no directory is read.
func (j *judge) config() *expand.Config {
	return &expand.Config{
		NoUnset: true, Env: expand.FuncEnviron(func(name string) string { return j.known[name] }),
		CmdSubst:  func(io.Writer, *syntax.CmdSubst) error { return errNotRun },
		ProcSubst: func(*syntax.ProcSubst) (string, error) { return "", errNotRun },
	}
}

var errNotRun = errors.New("nothing is run")

func source(n syntax.Node) string {
	var b strings.Builder
	_ = syntax.NewPrinter().Print(&b, n) // into memory
	return b.String()
}

func join(words []word) string {
	var all []string
	for _, w := range words {
		all = append(all, w.text)
	}
	return strings.Join(all, " ")
}

// Names of programs that run others, and of shells.
var (
	wrappers = []string{
		"sudo", "doas", "env", "nohup", "time", "timeout", "nice", "ionice", "stdbuf", "setsid", "command", "exec", "builtin", "xargs", "watch",
		"parallel", "flock", "find", "strace", "chroot", "nsenter", "unshare", "systemd-run", "script", "busybox", "caffeinate", "su", "runuser", "ssh", "!",
	}
	shells = []string{"sh", "bash", "dash", "zsh", "ksh", "ash", "fish"}
)

func base(name string) string { return strings.TrimSuffix(path.Base(name), ".exe") }

// command judges a command whose words are known as far as possible.
func (j *judge) command(words []word) {
	if len(words) == 0 {
		return
	}
	name, args := base(words[0].text), words[1:]
	switch {
	case words[0].unknown:
		j.unknown(words)
	case name == "docker" || name == "podman" || name == "nerdctl":
		j.docker(name, args)
	case name == "docker-compose" || name == "podman-compose":
		j.compose(name, args)
	case name == "rm":
		j.rm(args)
	case name == "curl" || name == "wget" || name == "socat" || name == "nc":
		j.http(args)
	case name == "cd" || name == "pushd":
		j.cd(args)
	case name == "eval":
		j.inner(args)
	case slices.Contains(shells, name):
		j.shell(args)
	case slices.Contains(wrappers, name):
		j.wrapped(name, args)
	}
}

// unknown judges a command whose name is not known: by what its arguments would
// mean to docker.
func (j *judge) unknown(words []word) {
	also := &judge{dir: j.dir, known: j.known, depth: j.depth}
	also.docker("docker", words[1:])
	also.compose("docker compose", words[1:])
	if also.worst.Decision == Deny {
		j.find(Ask, "This may be docker, and destroys volumes then.")
	}
	j.unclear(words[0].text, "the program is unknown")
}

// wrapped judges what a program that runs others runs. Where its own flags end is
// not known for each, so everything counts that begins with a name that matters.
func (j *judge) wrapped(name string, args []word) {
	if name == "find" {
		j.findDelete(args)
	}
	for i, a := range args {
		switch inner := base(a.text); {
		case a.unknown:
			continue
		case slices.Contains([]string{"docker", "podman", "nerdctl", "docker-compose", "podman-compose", "rm", "eval", "curl"}, inner), slices.Contains(shells, inner):
			j.command(args[i:])
		case strings.ContainsAny(a.text, " \t\n;|&"): // su -c, ssh HOST, env -S: a script in a word
			j.script(a.text)
		}
	}
	if name == "xargs" && len(args) > 0 && args[len(args)-1].unknown {
		j.unclear(join(args), "what it runs is unknown")
	}
}

// shell judges sh -c SCRIPT. What it reads from elsewhere is judged there.
func (j *judge) shell(args []word) {
	for i, a := range args {
		if strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && strings.Contains(a.text, "c") && i+1 < len(args) {
			j.inner(args[i+1 : i+2])
			return
		}
	}
}

// inner judges words that make a script.
func (j *judge) inner(words []word) {
	if slices.ContainsFunc(words, func(w word) bool { return w.unknown }) {
		j.unclear(join(words), "what it runs is unknown")
		return
	}
	j.script(join(words))
}

// fed judges what a shell is given as a here-document.
func (j *judge) fed(s *syntax.Stmt) {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || !j.reads(call) {
		return
	}
	for _, r := range s.Redirs {
		switch {
		case r.Hdoc != nil:
			j.given(r.Hdoc)
		case r.Op == syntax.WordHdoc:
			j.given(r.Word)
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
	return slices.ContainsFunc(words, func(w word) bool { return slices.Contains(shells, base(w.text)) }) &&
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
	if !j.reads(right) {
		return
	}
	if left, ok := b.X.Cmd.(*syntax.CallExpr); ok && len(left.Args) > 0 {
		words := j.words(left.Args)
		if name := base(words[0].text); name == "echo" || name == "printf" {
			j.inner(words[1:])
			return
		}
	}
	j.unclear(source(b.X), "what the shell reads is unknown")
}

func (j *judge) cd(args []word) {
	switch {
	case len(args) == 0 || args[0].unknown:
		j.dir = ""
	case path.IsAbs(args[0].text):
		j.dir = args[0].text
	case j.dir != "":
		j.dir = path.Join(j.dir, args[0].text)
	}
}

// quoted is an argument vector as a script.
func quoted(argv []string) string {
	var words []string
	for _, a := range argv {
		text, err := syntax.Quote(a, syntax.LangBash)
		if err != nil {
			text = "''"
		}
		words = append(words, text)
	}
	return strings.Join(words, " ")
}
