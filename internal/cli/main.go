package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/render"
)

// Process is what the program touches of the world.
type Process struct {
	Args    []string // without the program's name
	Environ []string
	Dir     string
	Stdin   *os.File
	Stdout  *os.File
	Stderr  *os.File
	Signals <-chan os.Signal
	Now     func() time.Time
	Plugin  bool // the Docker CLI called it

	color    string    // auto, always or never: --color
	set      *settings // what the command line does not say
	json     bool      // a program reads what goes to standard output
	pages    *paging
	identity *identity

	dockers   []string // docker's own flags, where the Docker CLI called it
	variables []string // that commands of this program need, where Compose called it

	testOnlyWidth int // of an imaginary terminal; 0 means none
}

// ThisProcess is the one that runs. INT, TERM, HUP and QUIT no longer end it:
// they are passed on to the child, and the record is written first. A closed
// pipe does not end it either.
func ThisProcess() Process {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	keepOnClosedPipe()
	dir, _ := os.Getwd() // "" is noticed where it is needed
	return Process{
		Args: os.Args[1:], Environ: os.Environ(), Dir: dir,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals, Now: time.Now,
	}
}

// Getenv looks up a variable; the last one of a name counts.
func (p Process) Getenv(name string) string {
	value, _ := p.lookup(name)
	return value
}

func (p Process) lookup(name string) (value string, set bool) {
	for i := len(p.Environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(p.Environ[i], name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// xdg is our directory under an XDG base directory, "" without a home.
func (p Process) xdg(variable, fallback string) string {
	base := p.Getenv(variable)
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, fallback)
	}
	return filepath.Join(base, "ccdestroy")
}

func (p Process) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.Dir, path)
}

// program is how the user calls this program.
func (p Process) program() []string {
	if p.Plugin {
		return slices.Concat([]string{"docker"}, p.dockers, []string{"ccdestroy"})
	}
	if len(p.variables) > 0 {
		return slices.Concat([]string{"env"}, p.variables, []string{"ccdestroy"})
	}
	return []string{"ccdestroy"}
}

// name is that of the program without docker's own flags.
func (p Process) name() string {
	p.dockers, p.variables = nil, nil
	return strings.Join(p.program(), " ")
}

// style is what the other side of a stream can show.
func (p Process) style(f *os.File) render.Style {
	style := render.Style{Color: p.color == "always", Program: p.program()}
	if p.testOnlyWidth > 0 {
		style.Width = p.testOnlyWidth
		return style
	}
	if !term.IsTerminal(int(f.Fd())) {
		return style
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width, height = 80, 24
	}
	style.Width, style.Height = width, height
	style.Color = style.Color || p.color != "never" && p.Getenv("NO_COLOR") == "" && p.Getenv("TERM") != "dumb"
	return style
}

// exitNow carries the exit code of --help and --version out of the parser: its
// own hook must not return, or the teardown would run on.
type exitNow int

// exitPipe is the exit code of a program that the signal of a closed pipe ends.
const exitPipe = 128 + 13

// Main runs the program and returns its exit code.
func Main(p Process) (code int) {
	defer func() {
		if r := recover(); r != nil {
			exit, ok := r.(exitNow)
			if !ok {
				panic(r)
			}
			code = int(exit)
		}
	}()
	p.pages, p.identity = &paging{}, &identity{}
	p.set = &settings{p: p}
	if loadsProject(p.Args) {
		go compose.WarmUp() // beside the parser, which takes as long
	}
	full := sync.OnceValues(func() (*grammar, *kong.Kong) {
		var g grammar
		return &g, newParser(&g, p, p.set)
	})
	p.set.app = func() *kong.Application { _, parser := full(); return parser.Model }
	call, color := p.parseBare()
	if call == nil {
		g, parser := full()
		if asked, err := p.complete(parser); err != nil {
			return p.complain(err)
		} else if asked {
			return fault.ExitOK
		}
		var err error
		if call, err = p.parse(parser); closedPipe(err) {
			return exitPipe // --help | head
		} else if err != nil {
			return p.complain(err)
		}
		color = g.Color
	}
	p.color, p.json = color, p.forProgram(call)
	if err := p.set.admit(call); err != nil {
		return p.complain(err)
	}
	return p.run(call)
}

// parseBare parses a line of flags alone. It is nil where the line is another one,
// or wrong, so that all of the grammar has to look at it.
func (p Process) parseBare() (call *kong.Context, color string) {
	if slices.ContainsFunc(p.Args, func(word string) bool { return !strings.HasPrefix(word, "-") || word == "--" }) || p.Getenv(completeAsked) != "" {
		return nil, ""
	}
	var b bare
	parser := newParser(&b, p, p.set, kong.NoDefaultHelp())
	call, err := p.parse(parser)
	if err != nil {
		return nil, ""
	}
	return call, b.Color
}

// parse reads the settings and the command line.
func (p Process) parse(parser *kong.Kong) (*kong.Context, error) {
	p.set.read()
	args, err := reword(parser.Model, p.Args)
	if err != nil {
		return nil, err
	}
	call, err := parser.Parse(args)
	if err != nil {
		return nil, cmp.Or(p.set.wrong, p.usage(parser.Model, err))
	}
	return call, nil
}

// run runs the command and returns the exit code.
func (p Process) run(call *kong.Context) int {
	exit := fault.ExitOK
	run := func(ctx context.Context) error {
		call.BindTo(ctx, (*context.Context)(nil))
		return call.Run(p, &exit, call.Model)
	}
	var err error
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var sig os.Signal
	if records(call) {
		err = run(ctx)
	} else if sig, err = p.untilSignal(ctx, run); sig != nil {
		return 128 + fault.SignalNumber(sig)
	}
	if closedPipe(err) {
		return exitPipe // head has seen enough: no message
	}
	if err != nil {
		return p.complain(err)
	}
	return exit
}

// loadsProject reports whether a command line that is yet to be parsed looks like
// one of a command that loads a project.
func loadsProject(args []string) bool {
	return len(args) == 0 || strings.HasPrefix(args[0], "-") || args[0] == "down" || args[0] == "inventory"
}

func newParser(grammar any, p Process, set *settings, more ...kong.Option) *kong.Kong {
	parser, err := kong.New(grammar, append(more,
		kong.Name(p.name()),
		kong.Description(description),
		kong.Writers(p.Stdout, p.Stderr),
		kong.Exit(func(code int) { panic(exitNow(code)) }),
		kong.Vars{"version": "ccdestroy " + version()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 80, NoExpandSubcommands: true}),
		kong.Help(help),
		kong.ExplicitGroups([]kong.Group{
			{Key: "project", Title: "Flags of docker compose:"}, {Key: "engine", Title: "Flags of docker:"}, {Key: "down", Title: "Flags of docker compose down:"},
			{Key: "ccdestroy", Title: "ccdestroy flags:"}, {Key: "filter", Title: "Filters:"},
		}),
		momentMapper(p.Now),
		durationMapper(),
		intMapper(),
		kong.Resolvers(set),
	)...)
	if err != nil {
		panic(err) // the grammar itself is wrong
	}
	return parser
}

// complain writes what went wrong and what to try, and returns the exit code.
func (p Process) complain(err error) int {
	f := fault.AsFault(err)
	fmt.Fprint(p.Stderr, p.style(p.Stderr).Complaint(f.Error(), f.Try))
	if p.json {
		_ = render.ComplaintJSON(p.Stdout, f.Error(), p.style(p.Stdout).Called(f.Try), f.Code) // the exit code still tells
	}
	return f.Code
}

// forProgram reports whether --format json is given or set, so that a refusal is
// JSON, too.
func (p Process) forProgram(call *kong.Context) bool {
	for _, flag := range call.Flags() {
		if flag.Name == "format" && call.FlagValue(flag) == "json" {
			return true
		}
	}
	return false
}
