package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
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
	Debug  func(line string) // is told of each command that is run; may be nil
	Cache  string            // directory for what is remembered about the binaries; "" for none

	plugin string // path of the plugin that is run in place of docker, or ""

	find   sync.Once // finds the next two, unless a test has set the first: Version and Model run at once
	binary string    // path of docker or of docker-compose; "" where there is neither
	alone  bool      // it is docker-compose, where there is no docker

	once     sync.Once     // starts reading what follows
	read     chan struct{} // closed when the next two are there
	piped    []byte        // what Stdin held, when a file is "-"
	pipedErr error
}

var errNoDocker = &fault.Fault{
	Err:  errors.New("neither docker nor docker-compose was found in PATH"),
	Try:  "install the Docker CLI and its Compose plugin",
	Code: fault.ExitFailed,
}

// Program finds the docker command, or a standalone Compose if there is
// none. The error is a *fault.Fault.
func (c *Compose) Program() (string, error) {
	c.find.Do(func() {
		for _, name := range []string{"docker", standalone} {
			if c.binary != "" {
				return
			}
			if path, err := exec.LookPath(name); err == nil {
				c.binary, c.alone = path, name == standalone
			}
		}
	})
	if c.binary == "" {
		return "", errNoDocker
	}
	return c.binary, nil
}

// standalone is the Compose that needs no docker command, from its version 2 on
// the same program as the plugin.
const standalone = "docker-compose"

// words are arguments of the docker command as the program that is run takes them:
// docker-compose takes docker's own flags too, and needs no word "compose".
func (c *Compose) words(args []string) []string {
	at := 0 // behind docker's own flags, which have a value each
	for at+1 < len(args) && strings.HasPrefix(args[at], "--") {
		at += 2
	}
	if !c.alone || at >= len(args) || args[at] != "compose" {
		return args
	}
	return slices.Delete(slices.Clone(args), at, at+1)
}

// typed is a command line as a user would type it.
func (c *Compose) typed(args []string) []string {
	if c.alone {
		return append([]string{standalone}, c.words(args)...)
	}
	return append([]string{"docker"}, args...)
}

// Command is the child's argument vector, beginning with "docker", or with
// "docker-compose" where there is no docker. It is known after Version.
func (c *Compose) Command() []string { return c.typed(c.Args.down()) }

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
// which some may run at the same time, gets all of it. Nobody waits for it longer than
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
	binary, err := c.Program()
	if err != nil {
		return nil, "", err
	}
	c.tell(binary, c.words(args))
	cmd := exec.CommandContext(ctx, binary, c.words(args)...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.WaitDelay = drainLimit // processes that docker started may outlive it
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

func (c *Compose) tell(binary string, words []string) {
	if c.Debug != nil {
		c.Debug(fmt.Sprintf("run %s %q", binary, words))
	}
}
