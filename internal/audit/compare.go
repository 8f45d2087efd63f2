package audit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Check compares the log with what was noted of it and returns in words what is
// to be told, or "". Each thing is told once: until the log is written to again,
// or something else is found. It reads one line of the log, however long the log
// is, and more only when something is wrong.
func (h *Heads) Check(path string) (string, error) {
	wrong, told, err := h.look(path)
	if err != nil || wrong == "" || told[wrong] {
		return "", err
	}
	return wrong, h.note(path, note{Told: wrong})
}

// look is Check, and also returns what was told already.
func (h *Heads) look(path string) (wrong string, told map[string]bool, err error) {
	if h == nil {
		return "", nil, nil
	}
	file, abs, err := h.file(path)
	if err != nil {
		return "", nil, err
	}
	last, told, err := newest(file)
	if err != nil {
		return "", nil, fmt.Errorf("read the noted head: %w", err)
	}
	wrong, err = h.compare(abs, file, last)
	return wrong, told, err
}

// compare says in words how the log differs from the head that was last noted
// at its path, or, where none was, whether it is a copy of a log at another.
func (h *Heads) compare(path, file string, last note) (string, error) {
	l := &Log{Path: path}
	g, err := l.newest()
	if errors.Is(err, fs.ErrNotExist) {
		if last.Log == "" {
			return "", nil
		}
		return missingLog(last), nil
	}
	if err != nil {
		return "", err
	}
	defer g.Close()
	if last.Log != "" {
		same, err := holds(g.File, last)
		if same || err != nil {
			return "", err
		}
	}
	t, err := readTail(g.File)
	if err != nil {
		return "", err
	}
	if last.Log != "" && t.head.Log != last.Log {
		known, wrong, err := l.compareOlder(g, file, last)
		if known || err != nil {
			return wrong, err
		}
	}
	switch {
	case t.head.Log == "" && last.Log == "":
		return "", nil
	case last.Log != "" && g.path != path: // only a segment is left
		return missingLog(last), nil
	case t.head.Log == "":
		return fmt.Sprintf("the log is empty of its events: it had %s", events(last.Seq)), nil
	case last.Log == "" || t.head.Log != last.Log:
		return h.stranger(g.File, t, file, last)
	}
	return changed(g.File, t, file, last)
}

func missingLog(last note) string {
	return fmt.Sprintf("the log is missing: it had %s", events(last.Seq))
}

// compareOlder looks for the noted head among the segments behind g: others have
// rotated the log since. known says that it is of one of them, and wrong says what
// is wrong with that one.
func (l *Log) compareOlder(g *segment, file string, last note) (known bool, wrong string, err error) {
	for {
		k, err := l.continued(g)
		if k == nil || err != nil {
			return false, "", err
		}
		g, err = l.older(g)
		var missing *MissingError
		switch {
		case errors.As(err, &missing) && k.Log == last.Log:
			return true, fmt.Sprintf("its segment %s is missing: it had %s", missing.Name, events(k.Seq)), nil
		case errors.As(err, &missing), g == nil && err == nil:
			return false, "", nil
		case err != nil:
			return false, "", err
		}
		defer g.Close() // there are few
		if k.Log != last.Log {
			continue
		}
		if same, err := holds(g.File, last); same || err != nil {
			return true, "", err
		}
		t, err := readTail(g.File)
		if err == nil {
			wrong, err = changed(g.File, t, file, last)
		}
		return true, fmt.Sprintf("its segment %s: %s", g.name(), wrong), err
	}
}

// changed says what happened to a log that no longer holds the last noted head.
func changed(f *os.File, t tail, file string, last note) (string, error) {
	shared, end, err := common(f, file, t)
	if err != nil {
		return "", err
	}
	switch {
	case t.size >= last.Size:
		return fmt.Sprintf("the log was changed: event %d is not what it was%s", last.Seq, upTo(shared)), nil
	case end:
		return fmt.Sprintf("the log is an older copy of itself, or its end was cut off: it ends at event %d and had %s; what is left is as it was",
			t.head.Seq, events(last.Seq)), nil
	}
	return fmt.Sprintf("the log is shorter than it was: it ends at event %d and had %s%s", t.head.Seq, events(last.Seq), upTo(shared)), nil
}

// stranger describes a log that was never written to at this path.
func (h *Heads) stranger(f *os.File, t tail, file string, last note) (string, error) {
	replaced := ""
	if last.Log != "" {
		replaced = fmt.Sprintf("the log was replaced by another one: the one here had %s", events(last.Seq))
	}
	other, err := h.others(t.head.Log, file)
	if err != nil || other.Log == "" {
		return replaced, err
	}
	if replaced != "" {
		replaced += "; "
	}
	same, err := holds(f, other)
	if err != nil {
		return "", err
	}
	switch {
	case same && t.head.Seq == other.Seq:
		return fmt.Sprintf("%sthis is a copy of %s", replaced, other.Path), nil
	case same:
		return fmt.Sprintf("%sthis is a copy of %s that continues from its event %d", replaced, other.Path, other.Seq), nil
	}
	otherFile, _, err := h.file(other.Path)
	if err != nil {
		return "", err
	}
	shared, end, err := common(f, otherFile, t)
	switch {
	case err != nil:
		return "", err
	case end:
		return fmt.Sprintf("%sthis is a copy of %s as it was at its event %d; that one had %s", replaced, other.Path, t.head.Seq, events(other.Seq)), nil
	}
	return fmt.Sprintf("%sthis is a copy of %s that went its own way%s", replaced, other.Path, upTo(shared)), nil
}

// holds reports whether the log has the noted line at its place.
func holds(f *os.File, n note) (bool, error) {
	info, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("stat log: %w", err)
	}
	if info.Size() < n.Size {
		return false, nil
	}
	for l, err := range lastLines(f, n.Size) {
		if err != nil {
			return false, err
		}
		sum, err := l.sum(f)
		return hex.EncodeToString(sum[:]) == n.SHA256, err
	}
	return false, nil
}

// common finds the newest of the noted heads that the log still holds; end says
// that it is the log's own last line.
func common(f *os.File, file string, t tail) (seq int64, end bool, err error) {
	visited := notes(file, func(n note) bool {
		if n.Told != "" || n.Log != t.head.Log || n.Seq > t.head.Seq {
			return true
		}
		var same bool
		if same, err = holds(f, n); same {
			seq, end = n.Seq, n.SHA256 == t.head.SHA256
		}
		return !same && err == nil
	})
	return seq, end, errors.Join(visited, err)
}

func upTo(seq int64) string {
	if seq == 0 {
		return ""
	}
	return fmt.Sprintf("; up to event %d it is as it was", seq)
}

func events(n int64) string {
	if n == 1 {
		return "1 event"
	}
	return fmt.Sprintf("%d events", n)
}
