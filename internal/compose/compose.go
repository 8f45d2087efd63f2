package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/contextcore/ccdestroy/internal/fault"
)

// Compose is one call of the user's Docker Compose.
type Compose struct {
	Args   Args
	Env    []string // of the child, and what the project is resolved with
	Dir    string   // working directory
	Stdin  *os.File
	Stdout *os.File
	Stderr *os.File
	Cache  string // directory for what is remembered about the binaries; "" for none

	binary string // path of docker, found once
	plugin string // path of the plugin that is run in its place, or ""

	once     sync.Once     // begins to read what follows
	read     chan struct{} // closed when the next two are there
	piped    []byte        // what Stdin held, when a file is "-"
	pipedErr error
}

var errNoDocker = &fault.Fault{
	Err:  errors.New("the docker command was not found in PATH"),
	Try:  "install the Docker CLI and its Compose plugin",
	Code: fault.ExitFailed,
}

// docker finds the docker binary.
func (c *Compose) docker() (string, error) {
	if c.binary == "" {
		path, err := exec.LookPath("docker")
		if err != nil {
			return "", errNoDocker
		}
		c.binary = path
	}
	return c.binary, nil
}

// Command is the child's argument vector, beginning with "docker".
func (c *Compose) Command() []string { return append([]string{"docker"}, c.Args.down()...) }

// readsStdin reports whether one of the files is standard input.
func (c *Compose) readsStdin() bool {
	for _, f := range c.Args.Files {
		if f == "-" {
			return true
		}
	}
	return false
}

// input is what a reader of standard input gets, from its beginning; nil when
// no file is "-". Standard input is read once, and each of several readers, of
// which some may run at the same time, has it all. Nobody waits for it longer than
// ctx.
func (c *Compose) input(ctx context.Context) (io.Reader, error) {
	if !c.readsStdin() {
		return nil, nil
	}
	c.once.Do(func() {
		c.read = make(chan struct{})
		go func() { c.piped, c.pipedErr = io.ReadAll(c.Stdin); close(c.read) }()
	})
	select {
	case <-c.read:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c.pipedErr != nil {
		return nil, fmt.Errorf("copy standard input: %w", c.pipedErr)
	}
	return bytes.NewReader(c.piped), nil
}

// run runs docker with the arguments and returns what it printed.
func (c *Compose) run(ctx context.Context, args ...string) (stdout []byte, stderr string, err error) {
	binary, err := c.docker()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.WaitDelay = drainLimit // what docker itself started may outlive it
	if in, err := c.input(ctx); err != nil {
		return nil, "", err
	} else if in != nil {
		cmd.Stdin = in
	}
	tail := &tailWriter{}
	cmd.Stderr = tail
	stdout, err = cmd.Output()
	return stdout, tail.String(), err
}
