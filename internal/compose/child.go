package compose

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/term"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// drainLimit is how long reading the child's error output continues after its end, in
// case a process that it left behind holds the other side open.
const drainLimit = 2 * time.Second

// Down runs the child to its end. It gets a process group of its own, so that
// Ctrl-C on the terminal reaches only us and is passed on once, to the whole
// group: the docker command alone ignores a lone SIGTERM on a terminal, since
// it expects its plugin to have got it too.
//
// If this process is killed, the child ends at its next output, since nothing
// reads its error output any more. Until then it holds the locks that it
// inherits, so that nobody settles the operation too early.
func (c *Compose) Down(held []*os.File, signals <-chan os.Signal) (fault.Exit, error) {
	return c.child(c.Args.down(), held, signals)
}

// Stop stops the services, and is interrupted when ctx ends.
func (c *Compose) Stop(ctx context.Context, held []*os.File) error {
	signals := make(chan os.Signal, 1)
	defer context.AfterFunc(ctx, func() { signals <- os.Interrupt })()
	exit, err := c.child(c.Args.stop(), held, signals)
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil && exit.Code != 0 {
		err = fmt.Errorf("docker compose stop exited %d: %s", exit.Code, exit.Stderr)
	}
	return err
}

func (c *Compose) child(args []string, held []*os.File, signals <-chan os.Signal) (fault.Exit, error) {
	binary, env, err := c.executable()
	if err != nil {
		return fault.Exit{}, err
	}
	in, err := c.input(context.Background()) // it was read to resolve the project
	if err != nil {
		return fault.Exit{}, err
	}
	c.tell(binary, c.words(args))
	cmd := exec.Command(binary, c.words(args)...)
	cmd.Dir, cmd.Env, cmd.Stdout = c.Dir, env, c.Stdout
	switch {
	case in != nil:
		cmd.Stdin = in
	case c.Stdin != nil && !term.IsTerminal(int(c.Stdin.Fd())):
		cmd.Stdin = c.Stdin
	}
	errs, err := captureStderr(c.Stderr)
	if err != nil {
		return fault.Exit{}, err
	}
	cmd.Stderr = errs.child
	ownGroup(cmd)
	durable.Inherit(cmd, held)
	if err := cmd.Start(); err != nil {
		errs.close()
		return fault.Exit{}, fmt.Errorf("start %q: %w", binary, err)
	}
	errs.childHasIt()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var first os.Signal
	for {
		select {
		case sig := <-signals:
			if first == nil {
				first = sig
			}
			signalGroup(cmd.Process, sig)
		case err := <-ended:
			return fault.Exit{Code: exitCode(err), Signal: first, Stderr: errs.close()}, nil
		}
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// capture passes the child's error output on and keeps its end.
type capture struct {
	child *os.File // the side that the child writes to
	read  *os.File // our side
	tail  *tailWriter
	done  chan struct{}
	end   func() // stops watching the terminal's size
}

// captureStderr gives the child a terminal when ours is one, so that its
// progress looks as it always does, and a pipe when not.
func captureStderr(ours *os.File) (*capture, error) {
	c := &capture{tail: &tailWriter{}, done: make(chan struct{}), end: func() {}}
	var err error
	if term.IsTerminal(int(ours.Fd())) {
		c.read, c.child, c.end, err = openTerminal(ours)
	}
	if c.read == nil {
		c.read, c.child, err = os.Pipe()
	}
	if err != nil {
		return nil, fmt.Errorf("read the child's error output: %w", err)
	}
	go func() {
		defer close(c.done)
		buf := make([]byte, 32<<10)
		for {
			n, err := c.read.Read(buf)
			_, _ = ours.Write(buf[:n]) // a closed terminal must not stop the child
			_, _ = c.tail.Write(buf[:n])
			if err != nil {
				return // EOF, or EIO from a terminal without writers
			}
		}
	}()
	return c, nil
}

// childHasIt closes our copy of the child's side, without which the end of its
// output would never be seen.
func (c *capture) childHasIt() { c.child.Close() }

// close waits for the rest of the output and returns the end of all of it.
func (c *capture) close() string {
	c.child.Close()
	select {
	case <-c.done:
	case <-time.After(drainLimit):
	}
	c.end()
	c.read.Close()
	<-c.done
	return c.tail.String()
}
