package terminal

import (
	"bufio"
	"context"
	"os"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/term"
)

const ttyPath = "CONIN$"

// Foreground reports whether there is a console to ask on.
func Foreground() bool { return term.IsTerminal(int(os.Stdin.Fd())) }

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

// flush drops what was typed before.
func flush(tty *os.File) {
	_, _, _ = windows.NewLazySystemDLL("kernel32.dll").NewProc("FlushConsoleInputBuffer").Call(tty.Fd())
}
