package fault

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// The exit codes of the program, promised in --help and docs/exit-codes.md. A
// signal n gives 128+n.
const (
	ExitOK        = 0 // done, nothing to do, or a dry run
	ExitFailed    = 1 // nothing was destroyed, or it cannot be told what was
	ExitUsage     = 2 // the command line is wrong
	ExitPartial   = 3 // something was destroyed and something remains
	ExitDeclined  = 4 // the user said no, or did not answer
	ExitRefused   = 5 // a rule forbids it: a protected volume, a change meanwhile, a failed export
	ExitNoRecord  = 6 // the record could not be written, and nothing was destroyed
	ExitNotIntact = 7 // verify found that the log is not what was written
)

// Fault is an error with what to try and the exit code that it leads to.
type Fault struct {
	Err  error
	Try  string // one line, or ""
	Code int
}

func (f *Fault) Error() string { return f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

// AsFault finds the Fault in err, or makes one with ExitFailed.
func AsFault(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Err: err, Code: ExitFailed}
}

// Command is a command as it can be pasted into a POSIX shell.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Shell(word)
	}
	return strings.Join(quoted, " ")
}

// Shell quotes a word for a POSIX shell where it must be.
func Shell(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// StoppedBy is the Fault of an operation that a signal stopped.
func StoppedBy(sig os.Signal, what string) *Fault {
	return &Fault{Err: fmt.Errorf("stopped by a signal (%s): %s", sig, what), Code: 128 + SignalNumber(sig)}
}

// Declined is the Fault of an operation that the user did not want.
func Declined(what string) *Fault {
	return &Fault{Err: errors.New("cancelled: " + what), Code: ExitDeclined}
}

// Refused is the Fault of an operation that a rule forbids.
func Refused(try, format string, args ...any) *Fault {
	return &Fault{Err: fmt.Errorf(format, args...), Try: try, Code: ExitRefused}
}

// Usage is the Fault of a command line that cannot be understood.
func Usage(try, format string, args ...any) *Fault {
	return &Fault{Err: fmt.Errorf(format, args...), Try: try, Code: ExitUsage}
}
