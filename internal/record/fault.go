package record

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// NoLog says that there is no log in the places where one was looked for.
func NoLog(l *audit.Log) *fault.Fault {
	return &fault.Fault{Err: errors.New("no audit log: looked for " + l.Path), Try: "run it in the project's directory, or name the log with --log FILE", Code: fault.ExitFailed}
}

// ReadFault adds what to try to an error of reading the log.
func ReadFault(err error, l *audit.Log) error {
	var ambiguous *audit.AmbiguousError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ambiguous):
		return &fault.Fault{Err: candidates(ambiguous, l), Try: fault.Command("ccdestroy", "audit", "show", ambiguous.IDs[0], "--log", l.Path), Code: fault.ExitFailed}
	case errors.Is(err, audit.ErrNotFound):
		return &fault.Fault{Err: err, Try: fault.Command("ccdestroy", "audit", "-n", "0", "--log", l.Path), Code: fault.ExitFailed}
	case errors.Is(err, audit.ErrVersion):
		return &fault.Fault{Err: err, Try: "install a newer ccdestroy", Code: fault.ExitFailed}
	case errors.Is(err, fs.ErrPermission):
		return &fault.Fault{Err: err, Try: "use the account that owns it: " + fault.Command("ls", "-l", l.Path), Code: fault.ExitFailed}
	}
	return err
}

// candidates names the newest of the operations that a prefix can mean, a line
// each.
func candidates(ambiguous *audit.AmbiguousError, l *audit.Log) error {
	text := ambiguous.Error()
	for _, id := range ambiguous.IDs[:min(5, len(ambiguous.IDs))] {
		events, _, err := l.Show(id)
		if err != nil {
			continue
		}
		e := events[len(events)-1]
		d, _ := ParseDetails(e) // of another shape: no project
		line := fmt.Sprintf("%s  %s  %s %s", id, e.Timestamp.Local().Format("2006-01-02 15:04:05"), e.Operation, d.Project)
		text += "\n" + strings.ReplaceAll(line, "\n", " ") // whoever wrote the log adds no line of their own
	}
	return errors.New(text)
}
