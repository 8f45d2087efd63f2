package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
)

// asks is a question for a word.
var asks = regexp.MustCompile(`Type (?:\x1b\[[0-9;]*m)*(\S+?)(?:\x1b\[[0-9;]*m)* to [^\n]*: $`)

// terminal runs a command on a terminal of its own, as a person does: a question is
// answered with the word that it asks for. It writes the command behind a prompt, and
// what was on the screen.
func terminal(w io.Writer, args []string) error {
	fmt.Fprintf(w, "$ %s\n", strings.Join(args, " "))
	cmd := exec.Command(args[0], args[1:]...)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 60, Cols: 104})
	if err != nil {
		return err
	}
	defer tty.Close()
	var screen bytes.Buffer
	var mu sync.Mutex
	read := make(chan struct{})
	go func() {
		defer close(read)
		part := make([]byte, 4096)
		for {
			n, err := tty.Read(part)
			mu.Lock()
			screen.Write(part[:n])
			mu.Unlock()
			if err != nil { // on Linux EIO, when the command has ended
				return
			}
		}
	}()
	answered := 0
	for done := false; !done; {
		select {
		case <-read:
			done = true
		case <-time.After(50 * time.Millisecond):
		}
		mu.Lock()
		m := asks.FindSubmatch(screen.Bytes())
		fresh := m != nil && screen.Len() > answered
		if fresh {
			answered = screen.Len()
		}
		mu.Unlock()
		if fresh {
			if _, err := io.WriteString(tty, string(m[1])+"\r"); err != nil {
				return err
			}
		}
	}
	if _, err := io.WriteString(w, strings.ReplaceAll(screen.String(), "\r\n", "\n")); err != nil {
		return err
	}
	err = cmd.Wait()
	if cmd.ProcessState == nil {
		return err
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		fmt.Fprintf(w, "$ echo $?\n%d\n", code)
	}
	_, err = fmt.Fprintln(w)
	return err
}

// onTerminal is the command line of it: picture -run COMMAND [ARG...]
func onTerminal(args []string) {
	if err := terminal(os.Stdout, args); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}
