package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/command"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/terminal"
)

type runCmd struct {
	Operation      string   `fixed:"" required:"" placeholder:"NAME" completion-predictor:"operation" help:"What the command does, in lower_snake: destroy, export, prune, delete_dashboard, restore, or your own."`
	Affects        []string `fixed:"" sep:"none" placeholder:"NAME" help:"Data that the command destroys when it succeeds; only the name is recorded. Repeatable."`
	Path           []string `fixed:"" sep:"none" placeholder:"PATH" completion-predictor:"file" help:"File or directory that the command destroys; checked before and after. Repeatable."`
	Volume         []string `fixed:"" sep:"none" placeholder:"VOLUME" completion-predictor:"volume" help:"Docker volume that the command destroys; checked before and after. Repeatable."`
	ComposeProject []string `fixed:"" sep:"none" placeholder:"NAME" completion-predictor:"project" help:"Compose project that the command destroys; checked before and after. Repeatable."`
	ExportPath     string   `fixed:"" placeholder:"PATH" help:"Where the data is exported."`
	Reason         string   `fixed:"" placeholder:"TEXT" help:"Reason, kept in the record."`
	engineFlags
	recordFlags
	Argv []string `arg:"" passthrough:"" name:"command" help:"The command and its arguments, after --."`
}

// Run runs the command; the exit code is the command's.
func (c runCmd) Run(ctx context.Context, p Process, code *int) error {
	argv := c.Argv
	if len(argv) > 0 && argv[0] == "--" {
		argv = argv[1:]
	}
	if len(argv) == 0 || !audit.ValidOperation(c.Operation) {
		return &fault.Fault{Err: c.wrong(argv), Try: "ccdestroy run --operation destroy --path data -- rm -rf data", Code: fault.ExitUsage}
	}
	if err := c.unset(); err != nil {
		return err
	}
	var client *engine.Client
	if len(c.Volume)+len(c.ComposeProject) > 0 {
		var err error
		if client, err = p.connect(c.engineFlags); err != nil {
			return err
		}
		defer client.Close()
	}
	book, err := p.bookHere(c.recordFlags, client, 0)
	if err != nil {
		return err
	}
	run := command.Run{
		Book: book, Operation: c.Operation, Argv: argv, Affects: c.Affects, Targets: command.Targets{Volumes: c.Volume},
		ExportPath: c.ExportPath, Reason: c.Reason, Dir: p.Dir, Env: p.Environ,
		Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr, Signals: p.Signals,
		Shared: func(sig os.Signal) bool {
			return (sig == syscall.SIGINT || sig == syscall.SIGQUIT) && terminal.Foreground()
		},
	}
	if client != nil {
		run.Engine = client
	}
	for _, project := range c.ComposeProject {
		run.Targets.Projects = append(run.Targets.Projects, strings.ToLower(project)) // as Compose reads it
	}
	for _, path := range c.Path {
		run.Targets.Paths = append(run.Targets.Paths, p.abs(path))
	}
	*code, err = run.Do(ctx)
	return err
}

// unset refuses an empty name: a variable that was not set. As a path it would be
// the working directory.
func (c runCmd) unset() error {
	for flag, names := range map[string][]string{"--affects": c.Affects, "--path": c.Path, "--volume": c.Volume, "--compose-project": c.ComposeProject} {
		if slices.Contains(names, "") {
			return fault.Usage("ccdestroy run --help", "%s: the name is empty", flag)
		}
	}
	return nil
}

func (c runCmd) wrong(argv []string) error {
	if len(argv) == 0 {
		return errors.New("no command given after --")
	}
	return record.BadOperation(c.Operation)
}
