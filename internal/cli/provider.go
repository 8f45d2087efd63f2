package cli

import (
	"context"
	"errors"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/provider"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// composeCmd is Compose's protocol for provider services; see package provider.
type composeCmd struct {
	ProjectName string             `fixed:"" placeholder:"NAME" help:"The project."`
	Metadata    composeMetadataCmd `cmd:"" help:"Say which options the provider has."`
	Up          composeIdleCmd     `cmd:"" help:"Nothing is to be done."`
	Stop        composeIdleCmd     `cmd:"" help:"Nothing is to be done."`
	Down        composeDownCmd     `cmd:"" help:"Record the teardown that has begun, or refuse it."`
	Finish      composeFinishCmd   `cmd:"" hidden:"" help:"Record the outcome when Compose has ended."`
}

func (p Process) answer(kind, text string) error {
	return provider.Answer(p.Stdout, kind, render.Terminal(text))
}

type composeMetadataCmd struct{}

// Run answers with the options of the provider.
func (composeMetadataCmd) Run(p Process) error { return provider.Metadata(p.Stdout) }

type composeIdleCmd struct {
	Service string `arg:"" name:"service" help:"The service."`
}

// Run does nothing: there is nothing to start or to stop.
func (composeIdleCmd) Run(p Process) error {
	return p.answer(provider.Info, "docker compose down will be recorded")
}

type composeDownCmd struct {
	Require string `fixed:"" enum:",export" default:"" placeholder:"WHAT" help:"export: refuse to destroy volumes that were never exported."`
	logFlag
	lockFlag
	Service string `arg:"" name:"service" help:"The service."`
}

// Run records the teardown. After an error Compose stops, with everything in
// place.
func (c composeDownCmd) Run(ctx context.Context, p Process, g *grammar, code *int) error {
	if provider.Within(p.Getenv) {
		return p.answer(provider.Info, "recorded by ccdestroy, which runs this")
	}
	caller := provider.FindCaller(g.Compose.ProjectName)
	if caller.DryRun {
		return p.answer(provider.Info, "a dry run: not recorded")
	}
	id, err := c.down(ctx, p, caller, g.Compose.ProjectName)
	if err != nil {
		*code = fault.AsFault(err).Code
		return p.answer(provider.Error, "ccdestroy: "+provider.OneLine(err))
	}
	return p.answer(provider.Info, "recorded as "+id)
}

func (c composeDownCmd) down(ctx context.Context, p Process, caller provider.Caller, project string) (string, error) {
	client, err := p.connect(caller.Args.Host, caller.Args.Context)
	if err != nil {
		return "", err
	}
	defer client.Close()
	flags := downFlags{Volumes: caller.Args.Volumes, RemoveOrphans: caller.Args.RemoveOrphans, Rmi: caller.Args.Images}
	down := provider.Down{
		Project: project, Caller: caller, Require: c.Require, Place: p.place(c.logFlag, client, c.LockTimeout), Engine: client, Dir: p.Dir,
		Resolver: func(args compose.Args) teardown.Resolver { return p.compose(args) },
		Options:  flags.options(p.Getenv), LastExports: p.lastExports(""), Leave: provider.LeaveFinisher(p.Dir, p.Environ),
	}
	return down.Do(ctx)
}

type composeFinishCmd struct {
	ID      string `fixed:"" required:"" hidden:""`
	PID     int    `fixed:"" name:"pid" required:"" hidden:""`
	Started string `fixed:"" hidden:""`
	Host    string `fixed:"" hidden:""`
	Context string `fixed:"" hidden:""`
	logFlag
}

// Run waits for Compose's end, looks, and records the outcome.
func (c composeFinishCmd) Run(ctx context.Context, p Process) error {
	if c.Log == "" {
		return errors.New("--log is missing")
	}
	client, err := p.connect(c.Host, c.Context)
	if err != nil {
		return err
	}
	defer client.Close()
	return provider.Finish{Book: p.place(c.logFlag, client, 0).In(p.Dir), ID: c.ID, PID: c.PID, Started: c.Started}.Do(ctx)
}
