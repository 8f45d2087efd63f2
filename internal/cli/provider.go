package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/compose"
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
	return json.NewEncoder(p.Stdout).Encode(message{kind, fmt.Sprintf(format, args...)})
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
		return teardown.Look(ctx, p.compose(args), d, flags.options(getenv), p.lastExports(c.logFlag, lookBack), sizesForProvider)
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

// leaveFinisher starts a process of its own session that outlives Compose.
func (p Process) leaveFinisher(id, log string, call caller) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"compose", "finish", "--id", id, "--log", log, "--pid", strconv.Itoa(call.pid), "--started", actor.StartOf(call.pid)}
	if call.Args.Host != "" {
		args = append(args, "--host", call.Args.Host)
	}
	if call.Args.Context != "" {
		args = append(args, "--context", call.Args.Context)
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = "ccdestroy" // not as a plugin
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.Dir, p.Environ, ownSession()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the process that records the outcome: %w", err)
	}
	return cmd.Process.Release()
}

type composeFinishCmd struct {
	ID      string `fixed:"" required:"" hidden:""`
	PID     int    `fixed:"" name:"pid" required:"" hidden:""`
	Started string `fixed:"" hidden:""`
	Host    string `fixed:"" hidden:""`
	Context string `fixed:"" hidden:""`
	logFlag
}

// How often the finisher looks for Compose's end, and how long it tries to reach
// an engine that does not answer.
const (
	finishPoll  = 50 * time.Millisecond
	finishTries = 12
)

// Run waits for Compose's end, looks, and records the outcome. Where it cannot,
// the operation stays unfinished, for reconcile.
func (c composeFinishCmd) Run(ctx context.Context, p Process) error {
	gone := func() bool {
		if c.Started != "" {
			return actor.StartOf(c.PID) != c.Started
		}
		return !processRuns(c.PID)
	}
	for !gone() {
		time.Sleep(finishPoll)
	}
	client, err := p.engine(projectFlags{Host: c.Host, Context: c.Context})
	if err != nil {
		return err
	}
	defer client.Close()
	l := p.log(c.Log)
	for try := range finishTries {
		if err = p.finish(ctx, l, daemon{client}, c.ID); err == nil {
			return nil
		}
		time.Sleep(time.Duration(try) * time.Second)
	}
	return err
}

func (p Process) finish(ctx context.Context, l *audit.Log, d daemon, id string) error {
	events, _, err := l.Show(id)
	if err != nil {
		return err
	}
	details, err := teardown.ParseDetails(events[len(events)-1])
	if err != nil {
		return err
	}
	if err := teardown.Rest(ctx, d, details.Project); err != nil {
		return err
	}
	release, err := settling(ctx, l)
	if err != nil {
		return err
	}
	defer release()
	if events, _, err = l.Show(id); err != nil || events[len(events)-1].Outcome != audit.Pending {
		return err // somebody else was faster
	}
	_, err = teardown.Reconcile(ctx, events[len(events)-1], d, l, teardown.SettledBeside, p.Now)
	return err
}

// withinName is the variable by which a provider knows that it runs under a
// teardown of ours.
const withinName = "CCDESTROY_WITHIN"

// mark says to processes that we start which process this is.
func (p Process) mark() string {
	return fmt.Sprintf("%s=%d:%s", withinName, os.Getpid(), actor.StartOf(os.Getpid()))
}

// within reports whether a ccdestroy that is still at work has led to this
// process. A variable that was left behind, or set by hand, does not count.
func (p Process) within() bool {
	word, started, _ := strings.Cut(p.Getenv(withinName), ":")
	pid, err := strconv.Atoi(word)
	if err != nil || pid <= 1 || actor.StartOf(pid) != started {
		return false
	}
	if started == "" {
		return true // this system does not tell
	}
	for at := os.Getppid(); at > 1; at = actor.ParentOf(at) {
		if at == pid {
			return true
		}
	}
	return false
}

var errNoServices = errors.New("it has no services")
