package hook

import (
	"errors"
	"io"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// word is one argument; of an unknown one text is its source.
type word struct {
	text    string
	unknown bool
}

// words are the arguments after expansion: one word of the source can be several.
func (j *judge) words(args []*syntax.Word) (out []word) {
	for _, a := range args {
		fields, err := expand.Fields(j.config(), a)
		if err != nil || j.lists(a) {
			out = append(out, word{source(a), true})
			continue
		}
		for _, f := range fields {
			out = append(out, word{text: f})
		}
	}
	return out
}

// lists reports whether a word has elements of an array that is not known, of
// which expansion makes none.
func (j *judge) lists(w *syntax.Word) (unknown bool) {
	syntax.Walk(w, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && p.Index != nil && !j.known[p.Param.Value].IsSet() {
			unknown = true
		}
		return true
	})
	return unknown
}

// text is a word without splitting, where it is known.
func (j *judge) text(w *syntax.Word) (string, bool) {
	if fields, err := expand.Fields(j.config(), w); err == nil && len(fields) == 1 {
		return fields[0], true // Literal leaves backslashes in
	}
	text, err := expand.Literal(j.config(), w)
	return text, err == nil
}

// assign notes variables whose values are known.
func (j *judge) assign(all []*syntax.Assign) {
	for _, a := range all {
		if a.Name == nil || a.Naked {
			continue
		}
		was := j.known[a.Name.Value]
		delete(j.known, a.Name.Value)
		switch value, known := "", true; {
		case a.Index != nil:
		case a.Array != nil:
			j.assignArray(a, was)
		default:
			if a.Value != nil {
				value, known = j.text(a.Value)
			}
			if known && !a.Append {
				j.known[a.Name.Value] = expand.Variable{Set: true, Kind: expand.String, Str: value}
			}
			if known && a.Append && was.Kind == expand.String {
				j.known[a.Name.Value] = expand.Variable{Set: true, Kind: expand.String, Str: was.Str + value}
			}
		}
	}
}

func (j *judge) assignArray(a *syntax.Assign, was expand.Variable) {
	var list []string
	if a.Append {
		if was.Kind != expand.Indexed {
			return
		}
		list = append(list, was.List...)
	}
	for _, e := range a.Array.Elems {
		if e.Index != nil {
			return
		}
		for _, w := range j.words([]*syntax.Word{e.Value}) {
			if w.unknown {
				return
			}
			list = append(list, w.text)
		}
	}
	j.known[a.Name.Value] = expand.Variable{Set: true, Kind: expand.Indexed, List: list}
}

// config expands known variables alone: no command is run, no directory is read.
func (j *judge) config() *expand.Config {
	return &expand.Config{
		NoUnset: true, Env: variables{j},
		CmdSubst:  func(io.Writer, *syntax.CmdSubst) error { return errNotRun },
		ProcSubst: func(*syntax.ProcSubst) (string, error) { return "", errNotRun },
	}
}

// variables are the known ones, as the expander asks for them.
type variables struct{ *judge }

func (v variables) Get(name string) expand.Variable { return v.known[name] }

func (v variables) Each(each func(name string, vr expand.Variable) bool) {
	for name, value := range v.known {
		if !each(name, value) {
			return
		}
	}
}

var errNotRun = errors.New("nothing is run")

func join(words []word) string {
	var all []string
	for _, w := range words {
		all = append(all, w.text)
	}
	return strings.Join(all, " ")
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
