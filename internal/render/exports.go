package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/archive"
)

// exportJSON is one export in a list; docs/json.md describes it.
type exportJSON struct {
	ID       string        `json:"id"` // of the operation in the log, "" if unknown
	Project  string        `json:"project"`
	Started  string        `json:"started"` // RFC 3339
	Volumes  []string      `json:"volumes"`
	Bytes    int64         `json:"bytes"` // that the volumes held
	Size     int64         `json:"size"`  // of the archives
	State    archive.State `json:"state"`
	Why      string        `json:"why,omitempty"` // of a state other than complete
	Path     string        `json:"path"`
	Manifest string        `json:"manifest_sha256"`
}

// Exports writes a list of exports.
func Exports(w io.Writer, list []archive.Found, now time.Time, style Style) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "No exports.")
		return err
	}
	t := table{style: style, folds: true}
	t.head("ID", "WHEN", "PROJECT", ">SIZE", "STATE", "VOLUMES")
	for _, e := range list {
		state := cell{text: string(e.State), color: Bad}
		if e.State == archive.StateComplete {
			state.color = Good
		}
		var names []string
		for _, name := range e.Volumes {
			names = append(names, brief(name))
		}
		t.add(cell{text: dash(ShortID(e.ID))}, cell{text: style.when(now, e.Started)}, cell{text: dash(e.Project)},
			cell{text: human(e.Bytes), right: true}, state, cell{text: strings.Join(names, ", ")})
	}
	if err := t.flush(w); err != nil {
		return err
	}
	// The paths are for copying, so they stand alone and whole.
	for _, e := range list {
		if _, err := fmt.Fprintf(w, "%s  %s\n", Terminal(dash(ShortID(e.ID))), Terminal(e.Path)); err != nil {
			return err
		}
	}
	return nil
}

// ExportsJSON writes the list as one array.
func ExportsJSON(w io.Writer, list []archive.Found) error {
	out := []exportJSON{}
	for _, f := range list {
		one := exportJSON{ID: f.ID, Project: f.Project, Volumes: append([]string{}, f.Volumes...), Bytes: f.Bytes, Size: f.Size, State: f.State, Why: f.Why, Path: f.Path, Manifest: f.Sum}
		if !f.Started.IsZero() {
			one.Started = f.Started.Format(time.RFC3339)
		}
		out = append(out, one)
	}
	return encodeJSON(w, out, "", "  ")
}

// Exported says what an export holds and what it does not.
func Exported(w io.Writer, m archive.Manifest, took time.Duration, style Style) error {
	var b strings.Builder
	var packed int64
	skipped := map[string][]string{}
	var order, live []string
	for _, v := range m.Volumes {
		packed += v.Archive.Size
		if v.Consistency == archive.Live {
			live = append(live, v.Name)
		}
		for _, s := range v.Skipped {
			text := s.What + ": " + s.Why
			if s.Count > 0 {
				text = fmt.Sprintf("%d × %s", s.Count, text)
			}
			if skipped[text] == nil {
				order = append(order, text)
			}
			skipped[text] = append(skipped[text], v.Name)
		}
	}
	b.WriteString(style.say(Good, "Exported", fmt.Sprintf(" %s: %s, %s in %s of archives, in %s.", Terminal(m.Project),
		Count(len(m.Volumes), "volume"), human(m.Bytes()), human(packed), seconds(took))))
	for _, text := range order {
		fmt.Fprintln(&b, style.fold(fmt.Sprintf("  not in it  %s (%s)", Terminal(text), Terminal(strings.Join(skipped[text], ", "))), 13))
	}
	if slices.Sort(live); len(live) > 0 {
		fmt.Fprintln(&b, style.paint(Warn, style.fold("WARNING: in use while it was read: "+Terminal(strings.Join(live, ", "))+". --stop makes a consistent export.", 2)))
	}
	b.WriteString(Recorded(m.EventID, style) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Checked says what checking an export found. known says that the log has the
// hash of its manifest.
func Checked(w io.Writer, path string, problems []string, known bool, style Style) error {
	var b strings.Builder
	word := style.paint(Good, "intact")
	if len(problems) > 0 {
		word = style.paint(Bad, "DAMAGED")
	}
	fmt.Fprintf(&b, "%s: %s\n", Terminal(path), word)
	for _, problem := range problems {
		fmt.Fprintln(&b, style.fold("  "+Terminal(problem), 4))
	}
	if !known {
		fmt.Fprintf(&b, "  The log here does not know it: its manifest alone speaks for it.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Restored says what a restore brought back, and under which id it is recorded.
func Restored(w io.Writer, id string, volumes, differences []string, took time.Duration, style Style) error {
	var b strings.Builder
	if len(volumes) > 0 {
		b.WriteString(style.say(Good, "Restored", fmt.Sprintf(" %s: %s, in %s.", Count(len(volumes), "volume"), Terminal(strings.Join(volumes, ", ")), seconds(took))))
	}
	for _, d := range differences {
		fmt.Fprintln(&b, style.fold("  differs    "+Terminal(d), 13))
	}
	if id != "" && len(volumes) > 0 {
		b.WriteString(Recorded(id, style) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
