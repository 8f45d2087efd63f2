package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/term"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/render"
)

// outputFlags say where results go.
type outputFlags struct {
	Output  string `short:"o" placeholder:"FILE" help:"Write to this file, all at once at the end; - is standard output."`
	NoPager bool   `help:"Do not use a pager."`
}

// write calls do with the place that results go to and what can be shown there.
// A file is replaced in one step, when do has succeeded.
func (f outputFlags) write(ctx context.Context, p Process, log *audit.Log, do func(io.Writer, render.Style) error) error {
	if f.Output != "" && f.Output != "-" {
		return f.toFile(ctx, p, log, do)
	}
	style := p.styleFor(p.Stdout, log.Path, "")
	pager := p.pager()
	if f.NoPager || pager == "" {
		out := bufio.NewWriter(p.Stdout)
		err := do(out, style)
		return errors.Join(err, out.Flush())
	}
	return p.paged(pager, func(w io.Writer) error { return do(w, style) })
}

func (f outputFlags) toFile(ctx context.Context, p Process, log *audit.Log, do func(io.Writer, render.Style) error) error {
	path := p.abs(f.Output)
	if same(path, log.Path) || log.IsSegment(path) {
		return &fault.Fault{Err: fmt.Errorf("--output %s is the log itself", f.Output), Try: "choose another file", Code: fault.ExitUsage}
	}
	err := durable.WriteFile(path, 0o644, func(w io.Writer) error {
		return errors.Join(do(untilDone{ctx, w}, render.Style{}), ctx.Err())
	})
	if err != nil {
		return &fault.Fault{Err: err, Try: "choose another file, or -o - for standard output", Code: fault.ExitFailed}
	}
	return nil
}

// untilDone writes until the context ends; a partial file is then removed.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

// Write writes.
func (u untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}

// same reports whether two paths name one file.
func same(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB) || filepath.Clean(a) == filepath.Clean(b)
}

// pager is the command that shows long output, "" for none: as git has it, only
// on a terminal, CCDESTROY_PAGER before PAGER before less, and cat is none.
func (p Process) pager() string {
	if !term.IsTerminal(int(p.Stdout.Fd())) || p.Getenv("TERM") == "dumb" || runtime.GOOS == "windows" {
		return ""
	}
	pager := "less"
	for _, name := range []string{"PAGER", "CCDESTROY_PAGER"} {
		if value, set := p.lookup(name); set {
			pager = value
		}
	}
	if pager == "less" {
		if _, err := exec.LookPath("less"); err != nil {
			return ""
		}
	}
	if strings.TrimSpace(pager) == "cat" {
		return ""
	}
	return pager
}

// paged lets do write to the pager. That the pager ends early is no error.
func (p Process) paged(pager string, do func(io.Writer) error) error {
	cmd := exec.Command("sh", "-c", pager)
	cmd.Stdout, cmd.Stderr, cmd.Env = p.Stdout, p.Stderr, p.Environ
	if _, set := p.lookup("LESS"); !set {
		cmd.Env = append(cmd.Env, "LESS=FRX")
	}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start the pager %q: %w", pager, err)
	}
	var wait error
	ended := make(chan struct{})
	go func() { wait = cmd.Wait(); close(ended) }()
	p.pages.run(in, cmd.Process, ended)
	defer p.pages.run(nil, nil, nil)
	err = do(in)
	in.Close()
	<-ended
	enough := closedPipe(err) || errors.Is(err, os.ErrClosed)
	switch {
	case wait != nil && (err == nil || enough):
		return &fault.Fault{Err: fmt.Errorf("the pager %q: %w", pager, wait), Try: "use --no-pager, or set another PAGER", Code: fault.ExitFailed}
	case enough:
		return nil
	}
	return err
}
