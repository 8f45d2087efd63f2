package fault

import (
	"context"
	"os"
	"syscall"
)

// Guard runs do until it ends or a signal comes, which ends the context of do.
func Guard(ctx context.Context, signals <-chan os.Signal, do func(context.Context) error) (os.Signal, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case err := <-done:
		return nil, err
	case sig := <-signals:
		cancel()
		<-done
		return sig, context.Canceled
	}
}

// Exit is how a child process ended.
type Exit struct {
	Code   int       // -1 when a signal killed it
	Stderr string    // the last 8 KiB of its error output, without control sequences
	Signal os.Signal // the first signal that was passed on, or nil
}

// SignalNumber is the number of a signal, 0 of none.
func SignalNumber(sig os.Signal) int {
	if n, ok := sig.(syscall.Signal); ok {
		return int(n)
	}
	return 0
}

// SignalName is INT, TERM, HUP or QUIT; other signals are never passed on.
func SignalName(sig os.Signal) string {
	names := map[os.Signal]string{syscall.SIGINT: "INT", syscall.SIGTERM: "TERM", syscall.SIGHUP: "HUP", syscall.SIGQUIT: "QUIT"}
	if name, ok := names[sig]; ok {
		return name
	}
	return sig.String()
}
