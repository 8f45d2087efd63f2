package compose

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Call is a `docker compose down` that somebody else runs.
type Call struct {
	Args   Args
	DryRun bool
	Argv   []string // as it would be typed: docker compose …
	Docker []string // of it, docker's own flags: what is before the word compose
	Down   []string // of it, what is behind the word compose, but for the word down
}

// ParseDown reads the command line of a Compose process, as the Docker CLI runs
// its plugin or as it is run alone. ok is false if it is not a down.
func ParseDown(argv []string) (call Call, ok bool) {
	if len(argv) == 0 || !strings.Contains(filepath.Base(argv[0]), "docker-compose") {
		return call, false
	}
	argv = argv[1:]
	p := downParser{call: &call}
	docker, rest, found := p.until("compose", argv)
	if call.Docker, call.Argv = docker, append([]string{"docker"}, argv...); !found { // not as a plugin
		rest, call.Argv = argv, append([]string{"docker", "compose"}, argv...)
	}
	before, rest, found := p.until("down", rest)
	if !found {
		return call, false
	}
	call.Down = slices.Concat(before, rest)
	flags := p.flags(true)
	if flags.Parse(rest) != nil {
		return call, false
	}
	p.finish(flags)
	call.Args.Services = flags.Args()
	return call, true
}

// downParser fills a call. A flag can stand before or after the command's name.
type downParser struct {
	call     *Call
	parallel int
	orphans  bool
	timeout  int
}

// flags are those of docker, of docker compose and, at the end, of down. What
// does not matter here is read and ignored.
func (p *downParser) flags(down bool) *pflag.FlagSet {
	f := pflag.NewFlagSet("docker", pflag.ContinueOnError)
	f.SetInterspersed(down)
	f.ParseErrorsAllowlist.UnknownFlags = true
	a := &p.call.Args
	f.StringVarP(&a.Host, "host", "H", a.Host, "")
	f.StringVarP(&a.Context, "context", "c", a.Context, "")
	f.StringArrayVarP(&a.Files, "file", "f", a.Files, "")
	f.StringVarP(&a.ProjectName, "project-name", "p", a.ProjectName, "")
	f.StringArrayVar(&a.Profiles, "profile", a.Profiles, "")
	f.StringArrayVar(&a.EnvFiles, "env-file", a.EnvFiles, "")
	f.StringVar(&a.ProjectDirectory, "project-directory", a.ProjectDirectory, "")
	f.StringVar(&a.ProjectDirectory, "workdir", a.ProjectDirectory, "")
	f.BoolVar(&a.AllResources, "all-resources", a.AllResources, "")
	f.BoolVar(&a.Compatibility, "compatibility", a.Compatibility, "")
	f.IntVar(&p.parallel, "parallel", p.parallel, "")
	f.StringVar(&a.Progress, "progress", a.Progress, "")
	f.StringVar(&a.Ansi, "ansi", a.Ansi, "")
	f.BoolVar(&p.call.DryRun, "dry-run", p.call.DryRun, "")
	f.Bool("verbose", false, "")
	f.Bool("no-ansi", false, "")
	f.BoolP("debug", "D", false, "")
	f.StringP("log-level", "l", "", "")
	f.String("config", "", "")
	f.Bool("tls", false, "")
	f.Bool("tlsverify", false, "")
	for _, file := range []string{"tlscacert", "tlscert", "tlskey"} {
		f.String(file, "", "")
	}
	if down {
		f.BoolVarP(&a.Volumes, "volumes", "v", false, "")
		f.BoolVar(&p.orphans, "remove-orphans", false, "")
		f.StringVar(&a.Images, "rmi", "", "")
		f.IntVarP(&p.timeout, "timeout", "t", 0, "")
	}
	return f
}

// until parses flags up to a word, and returns them and what is behind it.
func (p *downParser) until(word string, argv []string) (before, rest []string, found bool) {
	flags := p.flags(false)
	if flags.Parse(argv) != nil || flags.Arg(0) != word {
		return nil, nil, false
	}
	return argv[:len(argv)-flags.NArg()], flags.Args()[1:], true
}

func (p *downParser) finish(f *pflag.FlagSet) {
	if f.Changed("remove-orphans") {
		p.call.Args.RemoveOrphans = &p.orphans
	}
	if f.Changed("timeout") {
		p.call.Args.Timeout = &p.timeout
	}
}
