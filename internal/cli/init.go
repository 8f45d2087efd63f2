package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/makefile"
	"github.com/contextcore/ccdestroy/internal/provider"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type initCmd struct {
	File     string `short:"f" placeholder:"FILE" completion-predictor:"file" help:"Compose file, or the Makefile (default: the one that Docker Compose, or make, finds)."`
	Require  string `enum:",export" default:"" placeholder:"WHAT" help:"export: refuse to destroy volumes that were never exported."`
	Makefile bool   `fixed:"" help:"Change the Makefile instead: its target destroy runs ccdestroy."`
	Target   string `fixed:"" default:"destroy" placeholder:"NAME" help:"With --makefile: the target (${default})."`
	Fallback bool   `fixed:"" help:"With --makefile: run docker compose down -v, after a warning, where ccdestroy is not installed."`
	askFlags
}

// Validate is called by the parser.
func (c initCmd) Validate() error {
	switch {
	case c.Makefile && c.Require != "":
		return errors.New("--require is for a compose file, not for a Makefile")
	case !c.Makefile && (c.Fallback || c.Target != "destroy"):
		return errors.New("--target and --fallback need --makefile")
	}
	return nil
}

// Run shows the change, asks, and writes it.
func (c initCmd) Run(ctx context.Context, p Process) error {
	file := c.File
	if file != "" {
		file = p.abs(file)
	}
	if c.Makefile {
		return c.makefile(ctx, p, file)
	}
	ins, err := provider.Plan(ctx, p.Dir, file, c.Require, func(file string) teardown.Resolver {
		return p.compose(compose.Args{Files: []string{file}})
	})
	if err != nil {
		return err
	}
	if ins.Block == "" {
		p.say("%s has the service already", ins.Path)
		return nil
	}
	fmt.Fprintf(p.Stderr, "%s, after line %d:\n\n", render.Terminal(ins.Path), ins.Line)
	for text := range strings.Lines(ins.Block) {
		fmt.Fprintf(p.Stderr, "+%s\n", render.Terminal(strings.TrimSuffix(text, "\n")))
	}
	fmt.Fprintln(p.Stderr)
	if err := c.write(ctx, p, ins.Write); err != nil {
		return err
	}
	p.say("Written. From now on docker compose down is recorded.")
	p.say("Everybody who uses this file now needs ccdestroy on the PATH (or as a plugin of docker): without it, docker compose down fails and removes nothing, and up ends with an error.")
	return nil
}

// write asks if there is somebody to ask, and makes the change.
func (c initCmd) write(ctx context.Context, p Process, change func() error) error {
	if p.confirmation(c.Yes) == record.Typed {
		if err := p.screen(c.PromptTimeout).confirm(ctx, "yes", "write this", "nothing was written"); err != nil {
			return err
		}
	}
	if ctx.Err() != nil { // nobody would learn of it
		return ctx.Err()
	}
	return change()
}

// makefile has the Makefile's target run ccdestroy.
func (c initCmd) makefile(ctx context.Context, p Process, file string) error {
	change, err := makefile.Plan(p.Dir, file, makefile.Options{Target: c.Target, Fallback: c.Fallback})
	if err != nil {
		return err
	}
	if len(change.Added) == 0 {
		p.say("%s: the target %s runs ccdestroy already (line %d)", change.Path, c.Target, change.Line)
		return nil
	}
	fmt.Fprintf(p.Stderr, "%s, line %d:\n\n", render.Terminal(change.Path), max(change.Line, 1))
	for _, line := range change.Removed {
		fmt.Fprintf(p.Stderr, "-%s\n", render.Terminal(untabbed(line)))
	}
	for _, line := range change.Added {
		fmt.Fprintf(p.Stderr, "+%s\n", render.Terminal(untabbed(line)))
	}
	fmt.Fprintln(p.Stderr)
	for _, line := range change.Others {
		p.say("Line %d removes volumes too and stays as it is; --target NAME changes its target.", line)
	}
	if err := c.write(ctx, p, change.Write); err != nil {
		return err
	}
	if c.Fallback {
		p.say("Written. make %s is recorded, except on machines without ccdestroy, which warn and use docker compose down -v.", c.Target)
	} else {
		p.say("Written. make %s is recorded; on machines without ccdestroy it fails and destroys nothing.", c.Target)
	}
	return nil
}

// untabbed is a line with its tabs as columns, which a screen would show escaped.
func untabbed(line string) string { return strings.ReplaceAll(line, "\t", "        ") }
