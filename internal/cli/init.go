package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/provider"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type initCmd struct {
	File          string        `short:"f" placeholder:"FILE" completion-predictor:"file" help:"Compose file (default: the one that Docker Compose finds)."`
	Require       string        `enum:",export" default:"" placeholder:"WHAT" help:"export: refuse to destroy volumes that were never exported."`
	Yes           bool          `short:"y" help:"Do not ask."`
	PromptTimeout time.Duration `default:"10m" placeholder:"TIME" help:"How long to wait for an answer (${default})."`
}

// Run shows the change, asks, and writes it.
func (c initCmd) Run(ctx context.Context, p Process) error {
	file := c.File
	if file != "" {
		file = p.abs(file)
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
	if p.confirmation(c.Yes) == record.Typed {
		if err := p.screen(c.PromptTimeout).confirm(ctx, "yes", "write this", "nothing was written"); err != nil {
			return err
		}
	}
	if ctx.Err() != nil { // nobody will be told of it
		return ctx.Err()
	}
	if err := ins.Write(); err != nil {
		return err
	}
	p.say("Written. From now on docker compose down is recorded.")
	p.say("Everybody who uses this file now needs ccdestroy on the PATH (or as a plugin of docker): without it, docker compose down fails and removes nothing, and up ends with an error.")
	return nil
}
