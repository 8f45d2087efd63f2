package cli

import (
	"bufio"
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/term"
)

const ttyPath = "CONIN$"

func keepOnClosedPipe() {}

func foreground() bool { return term.IsTerminal(int(os.Stdin.Fd())) }

// readLine reads one line from the console. What is typed after it gave up is
// read by whoever reads next.
func readLine(ctx context.Context, tty *os.File, limit time.Duration) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(tty).ReadString('\n')
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(limit):
		return "", os.ErrDeadlineExceeded
	}
}

// closedPipe reports whether a write failed since nobody reads any more.
func closedPipe(err error) bool { return errors.Is(err, syscall.Errno(232)) } // ERROR_NO_DATA
