package cli

import (
	"context"
	"errors"
	"path"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/guard"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

type guardCmd struct {
	Run       guardRunCmd       `cmd:"" default:"withargs" help:"Answer the engine before it destroys volumes (default command)."`
	Install   guardInstallCmd   `cmd:"" help:"Have systemd run the guard, and tell the engine to ask it. Shows the change and asks."`
	Uninstall guardUninstallCmd `cmd:"" help:"Have the engine stop asking the guard, and remove the guard."`
	Status    guardStatusCmd    `cmd:"" signals:"end" settings:"none" help:"Say whether the guard answers and the engine asks it; exits 1 if not."`
}

type guardRunCmd struct {
	Socket         string    `fixed:"" default:"/run/docker/plugins/ccdestroy.sock" placeholder:"PATH" help:"Socket at which the engine asks, unless systemd hands one down (${default})."`
	ProtectProject []string  `sep:"none" placeholder:"PATTERN" help:"Protect the volumes of projects whose name matches. Repeatable."`
	ProtectLabel   []string  `sep:"none" placeholder:"KEY[=VALUE]" help:"Protect volumes with this label. Repeatable."`
	ProtectOlder   *keepTime `placeholder:"TIME" help:"Protect volumes older than this."`
	DenyPrune      bool      `help:"Refuse docker volume prune and docker system prune --volumes."`
	KeepFor        *keepTime `placeholder:"TIME" help:"How long to keep the volumes that the engine removes, for ccdestroy undo. Default: 0."`
	OtherLog       []string  `fixed:"" sep:"none" placeholder:"FILE" completion-predictor:"file" help:"Further log whose operations record what they destroy themselves. Repeatable."`
	engineFlags
	protectFlag
	recordFlags
}

// Run answers until it is stopped.
func (c guardRunCmd) Run(ctx context.Context, p Process) error {
	if runtime.GOOS != "linux" {
		return fault.Refused("run it on the engine's host", "the guard runs on Linux, beside the engine")
	}
	policy, err := c.policy(p)
	if err != nil {
		return err
	}
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	book, err := p.bookHere(c.recordFlags, client, 0)
	if err != nil {
		return err
	}
	if err := p.before(ctx, "nothing is guarded", func(ctx context.Context) error { return book.Check(ctx, "guard") }); err != nil {
		return err
	}
	book.Recorder = guard.InTurn(book.Log)
	listener, err := guard.Listen(c.Socket, p.Getenv)
	if err != nil {
		return &fault.Fault{Err: err, Try: "--socket PATH; or stop the other guard", Code: fault.ExitFailed}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		<-p.Signals
		cancel()
	}()
	g := &guard.Guard{
		Engine: client, Book: book, Policy: policy, Open: once(p.trash(client)), Expire: func() { p.purgeExpired(c.engineFlags, c.recordFlags) }, Now: p.Now, Note: p.note,
		Others: func() []*audit.Log { return watchCmd{OtherLog: c.OtherLog}.others(p, book.Log) },
	}
	if c.KeepFor != nil {
		g.Keep = time.Duration(*c.KeepFor)
	}
	go guard.Watchdog(ctx, c.Socket, p.Getenv)
	p.note("guarding at " + c.Socket + ", recording in " + book.Log.Path)
	return g.Serve(ctx, listener)
}

func (c guardRunCmd) policy(p Process) (policy guard.Policy, err error) {
	policy = guard.Policy{Projects: c.ProtectProject, Labels: c.ProtectLabel, NoPrune: c.DenyPrune}
	for _, pattern := range c.ProtectProject {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return policy, fault.Usage("a pattern such as prod-*", "--protect-project: %q is not a pattern", pattern)
		}
	}
	if c.ProtectOlder != nil {
		policy.Older = time.Duration(*c.ProtectOlder)
	}
	policy.Protect, err = p.set.patterns(c.Protect)
	return policy, err
}

// once finds out how to access the trash only once: that does not change while
// the engine runs, and is asked for with every call.
func once(open trash.Open) trash.Open {
	var mu sync.Mutex
	var found trash.Opened
	return func(ctx context.Context, lock string, volumes []inventory.Volume) (trash.Opened, error) {
		mu.Lock()
		defer mu.Unlock()
		if found.Shelf != nil {
			return found, nil
		}
		opened, err := open(ctx, lock, volumes)
		if _, direct := opened.Shelf.(trash.Place); err == nil && direct {
			found = opened
		}
		return opened, err
	}
}

// guardFlags say where the engine's own files are.
type guardFlags struct {
	Socket     string `fixed:"" default:"/run/docker/plugins/ccdestroy.sock" placeholder:"PATH" help:"Socket of the guard (${default})."`
	DaemonJSON string `fixed:"" name:"daemon-json" default:"/etc/docker/daemon.json" placeholder:"FILE" help:"The engine's configuration (${default})."`
	PidFile    string `fixed:"" default:"/var/run/docker.pid" placeholder:"FILE" help:"The engine's process id (${default})."`
	NoUnits    bool   `fixed:"" help:"Leave systemd alone: something else runs the guard."`
	engineFlags
}

func (f guardFlags) setup(p Process, client *engine.Client) guard.Setup {
	s := guard.Setup{Socket: f.Socket, DaemonJSON: f.DaemonJSON, PIDFile: f.PidFile, Engine: client, Note: p.note}
	if !f.NoUnits {
		s.Units = "/etc/systemd/system"
	}
	return s
}

type guardInstallCmd struct {
	guardFlags
	askFlags
	logFlag
}

// Run installs.
func (c guardInstallCmd) Run(ctx context.Context, p Process) error {
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	setup := c.setup(p, client)
	if setup.Flags, err = c.flags(p, client); err != nil {
		return err
	}
	return p.change(ctx, setup.Install, c.Yes, c.PromptTimeout, "nothing was installed")
}

// flags are those that systemd gives to the guard. The guard has neither this environment
// nor the docker contexts of this account: the engine is named by its socket.
func (c guardInstallCmd) flags(p Process, client *engine.Client) ([]string, error) {
	if c.NoUnits {
		return nil, nil
	}
	address, socket := client.Socket()
	path := strings.TrimPrefix(address, "unix://")
	if !socket {
		return nil, fault.Usage("-H unix:///var/run/docker.sock, on the engine's host; or --no-units, with ccdestroy guard running before the engine starts",
			"the guard that systemd runs reaches its engine by a Unix socket, not at %s", address)
	}
	flags := []string{"--host", "unix://" + p.abs(path)}
	if c.Log != "" {
		flags = append(flags, "--log", p.abs(c.Log))
	}
	if c.LogGroup != 0 {
		flags = append(flags, "--log-group", c.LogGroup.String())
	}
	return flags, nil
}

type guardUninstallCmd struct {
	guardFlags
	askFlags
}

// Run uninstalls.
func (c guardUninstallCmd) Run(ctx context.Context, p Process) error {
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	return p.change(ctx, c.setup(p, client).Uninstall, c.Yes, c.PromptTimeout, "nothing was changed")
}

// change makes a change to the machine that is shown and asked for first.
func (p Process) change(ctx context.Context, do func(context.Context, guard.Agree) error, yes bool, timeout time.Duration, not string) error {
	return p.before(ctx, not, func(ctx context.Context) error {
		return do(ctx, func(ctx context.Context, change string) error {
			for line := range strings.Lines(change) {
				p.say("%s", strings.TrimSuffix(line, "\n"))
			}
			if p.confirmation(yes) == record.Typed {
				return p.screen(timeout).confirm(ctx, "yes", "make this change", not)
			}
			if !yes {
				return fault.Usage("the same command with --yes", "nobody can be asked, so %s", not)
			}
			return nil
		})
	})
}

type guardStatusCmd struct{ guardFlags }

// Run reports the state of the guard.
func (c guardStatusCmd) Run(ctx context.Context, p Process, code *int) error {
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	well := true
	for _, line := range c.setup(p, client).Status(ctx) {
		mark := "ok   "
		if !line.Well {
			mark, well = "FAIL ", false
		}
		if _, err := p.Stdout.WriteString(mark + line.Text + "\n"); err != nil {
			return err
		}
	}
	if !well {
		*code = fault.ExitFailed
		return &fault.Fault{Err: errors.New("the engine is not guarded"), Try: "ccdestroy guard install", Code: fault.ExitFailed}
	}
	return nil
}
