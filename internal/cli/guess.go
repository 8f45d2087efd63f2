package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// usage turns a parser's error into a complaint that guesses what was meant.
// A guess is shown and never acted on.
func (p Process) usage(app *kong.Application, err error) error {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f
	}
	node := app.DefaultCmd
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil && parse.Context.Selected() != nil {
		node = parse.Context.Selected()
	}
	if word, ok := named(err, "unexpected argument "); ok {
		if f := p.guessWord(app, node, word); f != nil {
			return f
		}
	}
	if word, ok := named(err, "unknown flag "); ok {
		return p.guessFlag(app, node, word)
	}
	return fault.Usage(helpOf(node), "%w", inWords(node, err))
}

// helpOf is the command that explains a command.
func helpOf(node *kong.Node) string {
	return called(append(strings.Fields(commandOf(node)), "--help")...)
}

// named is the word that the parser's error names.
func named(err error, prefix string) (word string, ok bool) {
	word, ok = strings.CutPrefix(err.Error(), prefix)
	word, _, _ = strings.Cut(word, ", did you mean ")
	return word, ok
}

// guessWord is the complaint about a word in place of a command, or nil.
func (p Process) guessWord(app *kong.Application, node *kong.Node, word string) error {
	if node.Parent == nil || node != node.Parent.DefaultCmd {
		if len(node.Children) == 0 {
			return nil // the command takes no such argument
		}
		return notCommand(node, word, nil)
	}
	if node != app.DefaultCmd {
		return notCommand(node.Parent, word, nil)
	}
	flags, _ := leading(app, p.Args)
	var before []string
	for _, one := range flags {
		before = append(before, one.words...)
	}
	services := p.services(flags)
	if slices.Contains(services, word) {
		return fault.Usage(called(append(before, "down", word)...), "%q is a service, not a command", word)
	}
	if near := nearest(word, services); near != "" && nearest(word, childNames(app.Node)) == "" {
		return fault.Usage(called(append(before, "down", near)...), "%q is not a command. Did you mean the service %s?", word, near)
	}
	return notCommand(app.Node, word, before)
}

func notCommand(node *kong.Node, word string, before []string) error {
	above := strings.Fields(commandOf(node))
	if near := nearest(word, childNames(node)); near != "" && word != "ccdestroy" { // which is not a typo for destroy
		return fault.Usage(called(slices.Concat(before, above, []string{near})...), "%q is not a command. Did you mean %s?", word, strings.Join(append(above, near), " "))
	}
	return fault.Usage(helpOf(node), "%q is not a command", strings.Join(append(above, word), " "))
}

// guessFlag is the complaint about a flag that the command does not have.
func (p Process) guessFlag(app *kong.Application, node *kong.Node, word string) error {
	here := commandOf(node)
	var owners []*kong.Node
	for _, n := range commands(app.Node) {
		if n != node && flagNamed(n.Flags, word) != nil {
			owners = append(owners, n)
		}
	}
	var names []string
	for _, f := range slices.Concat(app.Flags, node.Flags, defaultFlags(node)) {
		names = append(names, "--"+f.Name)
		if f.Tag.Negatable != "" {
			names = append(names, "--no-"+f.Name)
		}
	}
	switch near := nearest(word, names); {
	case len(owners) > 0 && here == "":
		first := owners[0]
		try := helpOf(first)
		if len(first.Positional) == 0 {
			try = called(append(strings.Fields(commandOf(first)), p.Args...)...)
		}
		return fault.Usage(try, "%s belongs to %s", word, listed(owners))
	case near != "":
		return fault.Usage(helpOf(node), "unknown flag %s. Did you mean %s?", word, near)
	case len(owners) > 0:
		return fault.Usage(helpOf(node), "%s has no %s, which belongs to %s", here, word, listed(owners))
	}
	return fault.Usage(helpOf(node), "unknown flag %s", word)
}

// listed names at most three commands.
func listed(nodes []*kong.Node) string {
	var names []string
	for _, n := range nodes[:min(3, len(nodes))] {
		names = append(names, cmp.Or(commandOf(n), "ccdestroy")) // of the command that has no name
	}
	if len(nodes) > 3 {
		names = append(names, "and others")
	}
	return strings.Join(names, ", ")
}

// commands are all commands that can run, in the order of the help.
func commands(node *kong.Node) (all []*kong.Node) {
	for _, c := range node.Children {
		if len(c.Children) == 0 {
			all = append(all, c)
		}
		all = append(all, commands(c)...)
	}
	return all
}

func childNames(node *kong.Node) (names []string) {
	for _, c := range node.Children {
		if !c.Hidden && c.Type == kong.CommandNode {
			names = append(names, c.Name)
		}
	}
	return names
}

// services are those of the compose file that the flags name, as far as it can be
// read in this process.
func (p Process) services(flags []typed) []string {
	var args compose.Args
	for _, one := range flags {
		switch one.flag.Name {
		case "file":
			args.Files = append(args.Files, p.abs(one.value))
		case "env-file":
			args.EnvFiles = append(args.EnvFiles, p.abs(one.value))
		case "project-directory":
			args.ProjectDirectory = p.abs(one.value)
		}
	}
	return p.compose(args).Services(context.Background())
}

// nearest is the one of the words that was probably meant, "" for
// none.
func nearest(word string, of []string) (near string) {
	limit := 2
	if len(strings.TrimLeft(word, "-")) < 4 {
		limit = 1
	}
	best := limit + 1
	for _, one := range of {
		if d := distance(word, one); d < best {
			near, best = one, d
		}
	}
	return near
}

// distance counts the letters to insert, drop, change or swap with the next to
// make b of a.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 2*len(y)+2 {
		return len(x) // nothing in common, however long it is
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			change := rows[i-1][j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
