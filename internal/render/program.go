package render

import (
	"io"

	"github.com/contextcore/ccdestroy/internal/record"
)

// result is how a teardown ended, for programs. Lists are never null.
type result struct {
	ID        string        `json:"id,omitempty"` // of the operation; "" where nothing was recorded
	Project   string        `json:"project,omitempty"`
	Outcome   string        `json:"outcome"`
	Exit      int           `json:"exit"`
	Destroyed []string      `json:"destroyed"` // volumes that are verified gone
	Remaining []string      `json:"remaining"` // "kind name: why"
	Kept      []record.Kept `json:"kept"`      // what ccdestroy undo brings back
	Bytes     int64         `json:"bytes_lost"`
	Export    string        `json:"export_path,omitempty"`
}

// EndingJSON writes how a teardown or prune ended as one object; docs/json.md
// describes it.
func EndingJSON(w io.Writer, e record.Ending) error { return encodeJSON(w, resultOf(e), "", "  ") }

func resultOf(e record.Ending) result {
	out := result{
		ID: e.ID, Project: e.Inventory.Project, Outcome: string(e.Outcome), Exit: e.Code, Bytes: e.Verdict.LostBytes, Export: e.Saved,
		Destroyed: append([]string{}, e.Verdict.Lost...), Remaining: []string{}, Kept: append([]record.Kept{}, e.Kept...),
	}
	for _, r := range e.Verdict.Remaining {
		out.Remaining = append(out.Remaining, r.String())
	}
	return out
}

// ComplaintJSON writes why a command did nothing as one object: error, try ("" if
// there is no advice) and exit.
func ComplaintJSON(w io.Writer, text, try string, code int) error {
	return encodeJSON(w, struct {
		Error string `json:"error"`
		Try   string `json:"try"`
		Exit  int    `json:"exit"`
	}{text, try, code}, "", "  ")
}
