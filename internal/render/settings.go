package render

import "io"

// Source is a place that settings come from.
type Source struct {
	Name  string // variables, user, machine or project
	Place string // "" is none
	Holds string // what it sets, in a few words
}

// Setting is the value of a flag when the command line does not give it.
type Setting struct {
	Key      string `json:"key"`
	Value    string `json:"value"`              // "" is none
	From     string `json:"from"`               // "default", a variable, or a file with its line
	Enforced bool   `json:"enforced,omitempty"` // not even the command line changes it
}

// Settings writes them for people, the places first.
func Settings(w io.Writer, sources []Source, all []Setting, style Style) error {
	t := table{style: style}
	t.head("SOURCE", "~PLACE", "HOLDS")
	for _, s := range sources {
		t.add(cell{text: s.Name}, cell{text: dash(s.Place)}, cell{text: dash(s.Holds)})
	}
	if err := t.flush(w); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	t = table{style: style}
	t.head("KEY", "~VALUE", "FROM")
	for _, s := range all {
		c := cell{text: s.From}
		if s.From != "default" {
			c.color = Strong
		}
		if s.Enforced {
			c.text += " (enforced)"
		}
		t.add(cell{text: s.Key}, cell{text: dash(s.Value)}, c)
	}
	return t.flush(w)
}

// SettingsJSON writes them for programs.
func SettingsJSON(w io.Writer, all []Setting) error { return encodeJSON(w, all, "", "  ") }

// Check is one finding of the doctor.
type Check struct {
	Name string `json:"name"`
	// State is ok, warn or fail.
	State string `json:"state"`
	Text  string `json:"text"`
	Try   string `json:"try"` // what to do, or ""
}

// Checks writes them for people.
func Checks(w io.Writer, all []Check, style Style) error {
	t := table{style: style, folds: true}
	for _, c := range all {
		t.add(cell{text: c.State, color: map[string]Color{"ok": Good, "warn": Warn, "fail": Bad}[c.State]}, cell{text: c.Name}, cell{text: c.Text})
		if c.Try != "" {
			t.add(cell{}, cell{}, cell{text: "Try: " + c.Try, whole: isCommand(c.Try)})
		}
	}
	return t.flush(w)
}

// ChecksJSON writes them for programs.
func ChecksJSON(w io.Writer, all []Check) error { return encodeJSON(w, all, "", "  ") }
