package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

const description = `An audited "docker compose down -v": it looks at what will go, records it, lets Docker Compose tear down, looks again, and records what really happened.`

const exitCodes = `
Exit codes: 0 done, nothing to do, or a dry run · 1 failed · 2 wrong command
line or settings · 3 partly done · 4 declined, or no answer · 5 refused
(protected volume, failed export) · 6 no record could be written, so nothing was
destroyed · 7 audit verify or exports check found damage · 128+n signal n. run
exits with its command's exit code.

Every flag can be set by a variable, CCDESTROY_LOG for --log, or by "log: FILE"
in ~/.config/ccdestroy/config.yaml; ccdestroy config shows what is set where.
`

// grammar is the command line.
type grammar struct {
	Version kong.VersionFlag `help:"Show the version and exit."`
	colorFlag

	Destroy     destroyCmd     `cmd:"" default:"withargs" help:"Tear down this project and its volumes (default command; takes no arguments)."`
	Down        downCmd        `cmd:"" help:"Tear down some services, or all of them."`
	Inventory   inventoryCmd   `cmd:"" signals:"end" settings:"reads" help:"Show what a teardown would destroy, what would stay, and why."`
	Audit       auditCmd       `cmd:"" help:"Show the history of destructive operations."`
	Export      exportCmd      `cmd:"" help:"Export volumes to files and verify them."`
	Restore     restoreCmd     `cmd:"" help:"Restore volumes from an export."`
	Undo        undoCmd        `cmd:"" help:"Bring back the volumes of the last teardown or prune, or of an earlier one, while they are kept."`
	Trash       trashCmd       `cmd:"" help:"List the volumes that are kept for undo, and purge them."`
	Exports     exportsCmd     `cmd:"" help:"List and check exports."`
	Prune       pruneCmd       `cmd:"" help:"Destroy unused volumes, as docker volume prune does, and record them."`
	Reap        reapCmd        `cmd:"" help:"Tear down every Compose project on the engine that has expired."`
	Run         runCmd         `cmd:"" help:"Run a command and record what it destroys. Exits with the command's exit code."`
	Record      recordCmd      `cmd:"" help:"Record an operation that another program performs."`
	Reconcile   reconcileCmd   `cmd:"" help:"Settle operations that were interrupted before their outcome was recorded."`
	Ship        shipCmd        `cmd:"" signals:"end" help:"Copy logs to object storage and to OTLP endpoints."`
	Store       storeCmd       `cmd:"" help:"Sign what a store holds, and make the keys for it."`
	Watch       watchCmd       `cmd:"" help:"Follow the engine and record every volume that is destroyed without a record."`
	Guard       guardCmd       `cmd:"" help:"Guard an engine: record what any client destroys, before it does (docs/guard.md)."`
	Compose     composeCmd     `cmd:"" help:"Implement the provider protocol of Docker Compose (docs/provider.md)."`
	Init        initCmd        `cmd:"" signals:"end" help:"Have docker compose down or make destroy recorded: add a service to the compose file, or change the Makefile."`
	Hook        hookCmd        `cmd:"" signals:"end" settings:"none" help:"Answer a coding agent that asks before it runs a command (docs/agents.md)."`
	TrashHelper trashHelperCmd `cmd:"" settings:"none" hidden:"" name:"trash-helper" help:"Move volumes, in a container."`
	Config      configCmd      `cmd:"" signals:"end" settings:"reads" help:"Show the value of each flag and where it is set."`
	Doctor      doctorCmd      `cmd:"" signals:"end" settings:"none" help:"Check everything that a teardown needs."`
	Completion  completionCmd  `cmd:"" signals:"end" settings:"none" help:"Print a completion script for a shell."`
	Man         manCmd         `cmd:"" signals:"end" settings:"none" help:"Print the manual page (for man -l -)."`
	VersionOf   versionCmd     `cmd:"" signals:"end" settings:"none" name:"version" help:"Show the version and build details."`
}

// bare is the grammar of a line that holds nothing but flags, and is a teardown.
// Building the whole grammar takes as long as everything else that comes before
// the engine is asked.
type bare struct {
	colorFlag
	Destroy destroyCmd `cmd:"" default:"withargs"`
}

type colorFlag struct {
	Color string `enum:"auto,always,never" default:"auto" placeholder:"WHEN" help:"Colours: auto (on a terminal, unless NO_COLOR is set), always, never."`
}

// help is kong's own, with the flags of the command that runs when none is
// named, and on the first page the exit codes at its end.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	node := ctx.Selected()
	top := node == nil || node == ctx.Model.DefaultCmd
	if top {
		node, ctx.Path = ctx.Model.Node, ctx.Path[:1]
	}
	if node.DefaultCmd != nil {
		node.Flags = append(node.Flags, node.DefaultCmd.Flags...)
	}
	err := kong.DefaultHelpPrinter(options, ctx)
	if err == nil && top {
		_, err = fmt.Fprint(ctx.Stdout, exitCodes)
	}
	if err != nil {
		return &fault.Fault{Err: err, Code: fault.ExitFailed} // not a fault of the command line
	}
	return nil
}

// projectFlags are Compose's own flags for finding the project, with Compose's
// letters and meaning.
type projectFlags struct {
	File             []string `short:"f" sep:"none" placeholder:"FILE" completion-predictor:"file" group:"project" help:"Compose file; - is standard input. Repeatable."`
	ProjectName      string   `short:"p" placeholder:"NAME" completion-predictor:"project" group:"project" help:"Project name; without -f, find the project by its labels."`
	Profile          []string `sep:"none" placeholder:"NAME" group:"project" help:"Profile to enable. Repeatable."`
	EnvFile          []string `sep:"none" placeholder:"FILE" group:"project" help:"Environment file instead of .env. Repeatable."`
	ProjectDirectory string   `placeholder:"DIR" group:"project" help:"Directory that relative paths are resolved against."`
	AllResources     bool     `group:"project" help:"Include resources that no service uses."`
	Compatibility    bool     `group:"project" help:"Compose's backward compatibility mode."`
	Parallel         *number  `placeholder:"N" group:"project" help:"Compose's limit on parallel engine calls (-1: no limit)."`
	Progress         string   `placeholder:"TYPE" group:"project" help:"Compose's progress output: auto, tty, plain, json, quiet."`
	Ansi             string   `placeholder:"WHEN" group:"project" help:"Compose's control characters: never, always, auto."`
	engineFlags
}

// engineFlags say which engine, as the docker command does.
type engineFlags struct {
	Host    string `short:"H" placeholder:"ADDRESS" group:"engine" help:"Docker Engine to connect to."`
	Context string `placeholder:"NAME" group:"engine" help:"Docker context to use."`
}

// askFlags are those of a command that asks.
type askFlags struct {
	Yes           bool          `short:"y" group:"ccdestroy" help:"Do not ask."`
	PromptTimeout time.Duration `default:"10m" placeholder:"TIME" group:"ccdestroy" help:"How long to wait for an answer (${default})."`
}

// downFlags are those of docker compose down.
type downFlags struct {
	Volumes       bool   `short:"v" default:"true" negatable:"" group:"down" help:"Remove volumes (on by default; --no-volumes keeps them)."`
	RemoveOrphans *bool  `group:"down" help:"Also remove containers of services that the files do not declare."`
	Rmi           string `enum:",local,all" default:"" placeholder:"WHICH" group:"down" help:"Remove images: local (built here, untagged) or all."`
}

func (f projectFlags) args() compose.Args {
	return compose.Args{
		Host: f.Host, Context: f.Context, Files: f.File, ProjectName: f.ProjectName, Profiles: f.Profile,
		EnvFiles: f.EnvFile, ProjectDirectory: f.ProjectDirectory, AllResources: f.AllResources,
		Parallel: (*int)(f.Parallel), Progress: f.Progress, Ansi: f.Ansi, Compatibility: f.Compatibility,
	}
}

func (f downFlags) options(getenv func(string) string) inventory.Options {
	o := inventory.Options{Volumes: f.Volumes, Images: f.Rmi, RemoveOrphans: compose.Bool(getenv("COMPOSE_REMOVE_ORPHANS"))}
	if f.RemoveOrphans != nil {
		o.RemoveOrphans = *f.RemoveOrphans
	}
	return o
}

// number is an int that may be negative, as in --parallel -1.
type number int

// Decode takes the next word whatever it begins with.
func (n *number) Decode(ctx *kong.DecodeContext) error {
	word := ctx.Scan.Pop()
	value, err := strconv.Atoi(word.String())
	if err != nil {
		return fmt.Errorf("expected a whole number but got %q", word.String())
	}
	*n = number(value)
	return nil
}

// destroyFlags are the flags of a teardown.
type destroyFlags struct {
	projectFlags
	downFlags
	Timeout   *number  `short:"t" placeholder:"SECONDS" group:"down" help:"Seconds to wait for containers to stop."`
	DryRun    bool     `signals:"end" group:"ccdestroy" help:"Show the inventory; destroy and record nothing."`
	Unprotect []string `sep:"none" placeholder:"VOLUME" completion-predictor:"volume" group:"ccdestroy" help:"Destroy this volume even though it is protected. Repeatable."`
	Export    string   `placeholder:"DIR" completion-predictor:"file" group:"ccdestroy" help:"Save the volumes below DIR first and verify them; if that fails, nothing is destroyed."`
	Quiet     bool     `short:"q" group:"ccdestroy" help:"Hide export progress."`
	Reason    string   `placeholder:"TEXT" group:"ccdestroy" help:"Reason, kept in the record."`
	MustExist bool     `group:"ccdestroy" help:"Exit with code 1 if the engine has nothing that belongs to the project of -p."`
	askFlags
	protectFlag
	keepFlag
	agentsFlag
	lockFlag
	recordFlags
}

type logFlag struct {
	Log      string `placeholder:"FILE" completion-predictor:"file" group:"ccdestroy" help:"Audit log (default: .contextcore/audit.jsonl in the project directory)."`
	LogGroup group  `placeholder:"GROUP" group:"ccdestroy" help:"Group whose members may all write to the log."`
}

// lockFlag is for commands that change a project.
type lockFlag struct {
	LockTimeout time.Duration `default:"10m" placeholder:"TIME" group:"ccdestroy" help:"How long to wait for another operation on the same project (${default})."`
}
