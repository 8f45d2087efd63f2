package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// composeCmd is Compose's protocol for provider services: Compose calls
//
//	ccdestroy compose --project-name=X down [--OPTION=VALUE…] SERVICE
//
// and reads JSON lines on standard output, to its end; "error" makes Compose
// stop. https://github.com/docker/compose/blob/main/docs/extension.md
type composeCmd struct {
	ProjectName string             `fixed:"" placeholder:"NAME" help:"The project."`
	Metadata    composeMetadataCmd `cmd:"" help:"Say which options the provider has."`
	Up          composeIdleCmd     `cmd:"" help:"Nothing is to be done."`
	Stop        composeIdleCmd     `cmd:"" help:"Nothing is to be done."`
	Down        composeDownCmd     `cmd:"" help:"Record the teardown that has begun, or refuse it."`
	Finish      composeFinishCmd   `cmd:"" hidden:"" help:"Record the outcome when Compose has ended."`
}

type message struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

func (p Process) answer(kind, format string, args ...any) error {
	return json.NewEncoder(p.Stdout).Encode(message{kind, render.Terminal(fmt.Sprintf(format, args...))}) // Compose shows it as it is
}

type composeMetadataCmd struct{}

// Run answers with the options of the provider.
func (composeMetadataCmd) Run(p Process) error {
	type parameter struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Required    bool   `json:"required"`
		Type        string `json:"type"`
	}
	type command struct {
		Parameters []parameter `json:"parameters"`
	}
	return json.NewEncoder(p.Stdout).Encode(map[string]any{
		"description": "Records every docker compose down of this project in an audit log",
		"up":          command{[]parameter{}},
		"down": command{[]parameter{
			{"require", "export: refuse to destroy volumes of which there is no export", false, "string"},
			{"log", "audit log (default: .contextcore/audit.jsonl in the project directory)", false, "string"},
		}},
	})
}

type composeIdleCmd struct {
	Service string `arg:"" name:"service" help:"The service."`
}

// Run does nothing: there is nothing to start or to stop.
func (composeIdleCmd) Run(p Process) error {
	return p.answer("info", "docker compose down will be recorded")
}

type composeDownCmd struct {
	Require string `fixed:"" enum:",export" default:"" placeholder:"WHAT" help:"export: refuse to destroy volumes of which there is no export."`
	logFlag
	Service string `arg:"" name:"service" help:"The service."`
}

// Run records the teardown. After an error Compose stops, with everything in
// place.
func (c composeDownCmd) Run(ctx context.Context, p Process, g *grammar, code *int) error {
	if p.within() {
		return p.answer("info", "recorded by ccdestroy, which runs this")
	}
	id, err := c.record(ctx, p, g.Compose.ProjectName)
	switch {
	case err != nil:
		*code = teardown.AsFault(err).Code
		return p.answer("error", "ccdestroy: %s", oneLine(err))
	case id == "":
		return p.answer("info", "a dry run: not recorded")
	}
	return p.answer("info", "recorded as %s", id)
}

// oneLine is an error with its advice.
func oneLine(err error) string {
	f := teardown.AsFault(err)
	text := strings.ReplaceAll(strings.TrimSpace(f.Error()), "\n", "; ")
	if f.Try != "" {
		text += " (try: " + f.Try + ")"
	}
	return text
}

// caller is the Compose process that called us.
type caller struct {
	compose.Call
	known bool // the command line could be read
	pid   int
}

// findCaller looks for it among the processes that led to this one.
func findCaller(project string) caller {
	parent := os.Getppid()
	for pid := parent; pid > 1; pid = actor.ParentOf(pid) {
		if call, ok := compose.ParseDown(actor.CommandLine(pid)); ok {
			return caller{call, true, pid}
		}
	}
	// Whether volumes go cannot be told; what does go the evidence will say.
	return caller{compose.Call{Args: compose.Args{ProjectName: project}, Argv: []string{"docker", "compose", "down"}}, false, parent}
}

func (c composeDownCmd) record(ctx context.Context, p Process, project string) (id string, err error) {
	call := findCaller(project)
	if call.DryRun {
		return "", nil
	}
	client, err := p.engine(projectFlags{Host: call.Args.Host, Context: call.Args.Context})
	if err != nil {
		return "", err
	}
	defer client.Close()
	d := daemon{client}
	inv, err := c.look(ctx, p, d, call, project)
	if err != nil {
		return "", err
	}
	l := p.logIn(c.logFlag, cmp.Or(inv.Dir, p.Dir))
	_, _, _ = p.settle(ctx, l, client, recentBytes) // a log that cannot be read is refused in a moment
	if refused := inv.Refusals(nil); len(refused) > 0 {
		return "", &teardown.Fault{
			Err: fmt.Errorf("protected by the label %s=true: volume %s", teardown.LabelProtect, strings.Join(refused, ", ")),
			Try: "ccdestroy --unprotect " + strings.Join(refused, " --unprotect "), Code: teardown.ExitRefused,
		}
	}
	if missing := c.notExported(p, inv); len(missing) > 0 {
		return "", &teardown.Fault{Err: fmt.Errorf("there is no export of volume %s", strings.Join(missing, ", ")), Try: "ccdestroy --export DIR", Code: teardown.ExitRefused}
	}
	user, claims, _ := p.who()
	entry := p.entry(l, audit.Destroy, user, byProcess(claims, call.pid), "")
	entry.Details.Inventory, entry.Details.Command, entry.Details.Confirmation = inv, call.Argv, string(teardown.Unattended)
	if err := entry.Pend(ctx, inv.Going()); err != nil {
		return "", err
	}
	// A crash from here on leaves an unfinished operation, as any teardown that
	// is killed.
	return entry.ID, p.leaveFinisher(entry.ID, l.Path, call)
}

// look makes the inventory of what Compose is about to remove.
func (c composeDownCmd) look(ctx context.Context, p Process, d daemon, call caller, project string) (teardown.Inventory, error) {
	getenv := func(name string) string { return p.Getenv(name) }
	flags := downFlags{Volumes: call.Args.Volumes, RemoveOrphans: call.Args.RemoveOrphans, Rmi: call.Args.Images}
	look := func(args compose.Args) (teardown.Inventory, error) {
		return teardown.Look(ctx, p.compose(args), d, flags.options(getenv), p.lastExports(c.logFlag), sizesForProvider)
	}
	for _, file := range call.Args.Files {
		if file == "-" { // Compose has read it, and it is gone
			return look(compose.Args{ProjectName: project})
		}
	}
	inv, err := look(call.Args)
	if err != nil || inv.Project != project {
		return look(compose.Args{ProjectName: project})
	}
	return inv, nil
}

// sizesForProvider is how long Compose waits for the sake of sizes.
const sizesForProvider = 250 * time.Millisecond

func (c composeDownCmd) notExported(p Process, inv teardown.Inventory) (names []string) {
	if c.Require != "export" {
		return nil
	}
	for _, r := range inv.Resources {
		if r.Kind == teardown.KindVolume && r.Asked && (r.LastExport == nil || !r.LastExport.There) {
			names = append(names, r.Name)
		}
	}
	return names
}

// byProcess says of an actor that another process does it.
func byProcess(claims json.RawMessage, pid int) json.RawMessage {
	var a actor.Actor
	if json.Unmarshal(claims, &a) != nil {
		return claims
	}
	a.PID, a.Started = pid, actor.StartOf(pid)
	data, err := json.Marshal(a)
	if err != nil {
		return claims
	}
	return data
}
