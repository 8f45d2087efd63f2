package cli

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/provider"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// composeCmd is Compose's protocol for provider services; see package provider.
type composeCmd struct {
	ProjectName string             `fixed:"" placeholder:"NAME" help:"The project."`
	Metadata    composeMetadataCmd `cmd:"" signals:"end" settings:"none" help:"Print the options of the provider."`
	Up          composeIdleCmd     `cmd:"" signals:"end" settings:"none" help:"Do nothing."`
	Stop        composeIdleCmd     `cmd:"" signals:"end" settings:"none" help:"Do nothing."`
	Down        composeDownCmd     `cmd:"" settings:"none" help:"Record the teardown that is beginning, or refuse it."`
	Finish      composeFinishCmd   `cmd:"" settings:"none" hidden:"" help:"Record the outcome when Compose has ended."`
}

// answer tells Compose something, with our commands as the user calls them.
func (p Process) answer(kind, text string) error {
	return provider.Answer(p.Stdout, kind, p.style(p.Stdout).Called(render.Terminal(text)))
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
	protectFlag
	agentsFlag
	recordFlags
	lockFlag
	Service string `arg:"" name:"service" help:"The service."`
}

// Run records the teardown. After an error Compose stops, with everything in
// place.
func (c composeDownCmd) Run(ctx context.Context, p Process, g *grammar, call *kong.Context, code *int) error {
	if provider.Within(p.Getenv) {
		return p.answer(provider.Info, "recorded by ccdestroy, which runs this")
	}
	caller := provider.FindCaller(g.Compose.ProjectName)
	if caller.DryRun {
		return p.answer(provider.Info, "a dry run: not recorded")
	}
	p, err := p.inPlaceOf(caller, c.Log)
	if err == nil {
		err = p.set.check(call)
	}
	id := ""
	if err == nil {
		id, err = c.down(ctx, p, caller, g.Compose.ProjectName)
	}
	if err != nil {
		*code = fault.AsFault(err).Code
		return p.answer(provider.Error, "ccdestroy: "+provider.OneLine(err))
	}
	return p.answer(provider.Info, "recorded as "+id)
}

func (c composeDownCmd) down(ctx context.Context, p Process, caller provider.Caller, project string) (string, error) {
	flags := downFlags{Volumes: caller.Args.Volumes, RemoveOrphans: caller.Args.RemoveOrphans, Rmi: caller.Args.Images}
	options, err := p.options(flags, c.protectFlag)
	if err != nil {
		return "", err
	}
	reason, err := p.set.reason("")
	if err != nil {
		return "", fault.Usage("ccdestroy --reason TEXT; or a text in the variable "+variable(reasonKey), "%w", err)
	}
	client, err := p.connect(engineFlags{caller.Args.Host, caller.Args.Context})
	if err != nil {
		return "", err
	}
	defer client.Close()
	if p.set.enforces("export") {
		c.Require = "export"
	}
	place, err := p.place(c.recordFlags, client, c.LockTimeout)
	if err != nil {
		return "", err
	}
	environ := append(slices.Clip(p.Environ), c.environ()...)
	down := provider.Down{
		Signals: p.Signals, Project: project, Caller: caller, Require: c.Require, Place: place, Engine: client, Dir: p.Dir,
		Resolver: func(args compose.Args) teardown.Resolver { return p.compose(args) },
		Options:  options, Reason: reason, Agent: c.agent(p), LastExports: p.lastExports(""), Leave: provider.LeaveFinisher(p.Dir, environ),
	}
	return down.Do(ctx)
}

// inPlaceOf is the process that a user would have called in place of docker compose down,
// on the same engine and with the same log, "" where none was named. Its command takes
// Compose's own flags. Docker's are docker's where this program is its plugin; else the
// command has --host and --context, and the others are variables.
func (p Process) inPlaceOf(caller provider.Caller, log string) (Process, error) {
	_, env, err := dockerFlags(caller.Docker)
	if err != nil {
		return p, err
	}
	args := []string{"down"}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		switch value := env[name]; {
		case p.Plugin:
			p.dockers = caller.Docker
		case name == "DOCKER_CONTEXT":
			args = append(args, "--context", value)
		case name == "DOCKER_HOST" && value != "":
			args = append(args, "--host", value)
		case name != "DOCKER_HOST": // --context wins over it
			p.variables = append(p.variables, name+"="+value)
		}
	}
	if !caller.Args.Volumes { // which are its default
		args = append(args, "--no-volumes")
	}
	if log != "" && !p.finds(p.abs(log)) {
		args = append(args, "--log", p.abs(log))
	}
	p.Args = append(args, caller.Down...)
	return p.with(env)
}

type composeFinishCmd struct {
	ID      string `fixed:"" required:"" hidden:""`
	PID     int    `fixed:"" name:"pid" required:"" hidden:""`
	Started string `fixed:"" hidden:""`
	Host    string `fixed:"" hidden:""`
	Context string `fixed:"" hidden:""`
	recordFlags
}

// Run waits for Compose's end, looks, and records the outcome.
func (c composeFinishCmd) Run(ctx context.Context, p Process) error {
	if c.Log == "" {
		return errors.New("--log is missing")
	}
	client, err := p.connect(engineFlags{c.Host, c.Context})
	if err != nil {
		return err
	}
	defer client.Close()
	place, err := p.place(c.recordFlags, client, 0)
	if err != nil {
		return err
	}
	return provider.Finish{Book: place.In(p.Dir), ID: c.ID, PID: c.PID, Started: c.Started, Signals: p.Signals}.Do(ctx)
}
