package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
	"go.yaml.in/yaml/v4"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Model resolves the project as Compose's `down` will. In this order:
//
//  1. -p without -f: labels mode, whatever files there are.
//  2. The files, loaded in-process.
//  3. Where that fails, `docker compose config` with the same arguments: it may
//     know a newer syntax, or fetch remote files.
//  4. Where that fails too and COMPOSE_PROJECT_NAME is set: labels mode. Compose
//     falls back to it silently; we say so.
//  5. Else Compose would fail as well, and its error is returned.
func (c *Compose) Model(ctx context.Context) (inventory.Model, error) {
	if c.Args.ProjectName != "" && len(c.Args.Files) == 0 {
		return c.labels(c.Args.ProjectName, ""), nil
	}
	model, err := c.load(ctx)
	if err == nil || errors.Is(err, errStdin) || ctx.Err() != nil {
		return model, err
	}
	var gone *fault.Fault
	if errors.As(err, &gone) && !c.fallsBack() {
		return c.located(), err
	}
	model, asked := c.ask(ctx)
	if asked == nil {
		return model, nil
	}
	if name := c.projectNameEnv(); name != "" {
		return c.labels(name, err.Error()), nil
	}
	return c.located(), c.loadFault(err, asked)
}

// loadFault is why the project could not be loaded, with the file, which not every
// error of Compose names.
func (c *Compose) loadFault(ours, theirs error) error {
	var f *fault.Fault
	if errors.As(ours, &f) {
		return f
	}
	for _, file := range c.Args.Files {
		if c.absent(file) {
			return &fault.Fault{Err: fmt.Errorf("no such compose file: %q", file), Try: "give -f the path of an existing file", Code: fault.ExitFailed}
		}
	}
	if file := c.unreadable(); file != "" && !strings.Contains(theirs.Error(), filepath.Base(file)) {
		theirs = fmt.Errorf("%s: %w", file, theirs)
	}
	return &fault.Fault{
		Err:  fmt.Errorf("the project could not be loaded: %w", theirs),
		Try:  strings.Join(c.typed(append(c.Args.docker(), "config", "--quiet")), " ") + "   # shows what is wrong with the files",
		Code: fault.ExitFailed,
	}
}

// absent reports whether a file that was named does not exist. One that is fetched
// from elsewhere counts as existing.
func (c *Compose) absent(file string) bool {
	if file == "-" || strings.Contains(file, "://") || strings.HasPrefix(file, "git@") {
		return false
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(c.Dir, file)
	}
	_, err := os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}

// unreadable is the first of the files that is not YAML, or "".
func (c *Compose) unreadable() string {
	for _, file := range c.located().Files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var any yaml.Node
		if yaml.Unmarshal(data, &any) != nil {
			return file
		}
	}
	return ""
}

func (c *Compose) labels(name, fallback string) inventory.Model {
	m := inventory.Model{
		Project: strings.ToLower(name), Mode: inventory.Labels, Dir: c.Dir,
		Fallback: fallback, Named: c.Args.Services,
	}
	if at := c.located(); fallback != "" && at.Dir != "" {
		m.Dir = at.Dir
	}
	return m
}

// located is what is known of a project that could not be loaded: the directory
// whose log gets the failed record, where a file was found at all.
func (c *Compose) located() inventory.Model {
	m := inventory.Model{Named: c.Args.Services}
	opts, err := c.options()
	if err != nil || len(opts.ConfigPaths) == 0 || opts.ConfigPaths[0] != "-" && !exists(opts.ConfigPaths[0]) {
		return m
	}
	m.Files = opts.ConfigPaths
	if dir, err := opts.GetWorkingDir(); err == nil && exists(dir) {
		m.Dir, m.Project = dir, filepath.Base(dir)
	}
	return m
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

var errStdin = errors.New("standard input could not be copied")

// options is Compose's own order of preparation.
func (c *Compose) options() (*cli.ProjectOptions, error) {
	a := c.Args
	envFiles := c.envFiles()
	env := c.Env
	if c.getenv("PWD") == "" {
		env = append(slices.Clone(env), "PWD="+c.Dir)
	}
	return cli.NewProjectOptions(append([]string(nil), a.Files...),
		cli.WithoutEnvironmentResolution,
		cli.WithWorkingDirectory(a.ProjectDirectory),
		cli.WithEnv(env),
		cli.WithEnvFiles(envFiles...),
		cli.WithDotEnv,
		cli.WithConfigFileEnv,
		cli.WithDefaultConfigPath,
		cli.WithEnvFiles(envFiles...),
		cli.WithDotEnv,
		cli.WithDefaultProfiles(a.Profiles...),
		cli.WithName(a.ProjectName),
	)
}

func (c *Compose) envFiles() []string {
	files := c.Args.EnvFiles
	if len(files) == 0 {
		files = strings.FieldsFunc(c.getenv("COMPOSE_ENV_FILES"), func(r rune) bool { return r == ',' })
	}
	var out []string
	for _, f := range files {
		if abs, err := filepath.Abs(f); err == nil {
			f = abs
		}
		out = append(out, f)
	}
	return out
}

// errNoFile is Compose's complaint in a directory without files.
var errNoFile = errors.New("no compose file was found here or in a parent directory")

// noFile is errNoFile with the directory, where one was named.
func (c *Compose) noFile() error {
	if c.Args.ProjectDirectory == "" {
		return errNoFile
	}
	return fmt.Errorf("%q: %w", c.Args.ProjectDirectory, errNoFile)
}

func (c *Compose) load(ctx context.Context) (inventory.Model, error) {
	// compose-go warns through the global logger; Compose itself will say the
	// same again, and once is enough.
	logrus.SetOutput(io.Discard)
	restore, err := c.lendStdin(ctx)
	if err != nil {
		return inventory.Model{}, fmt.Errorf("%w: %w", errStdin, err)
	}
	defer restore()
	opts, err := c.options()
	if err != nil {
		return inventory.Model{}, err
	}
	if len(opts.ConfigPaths) == 0 {
		return inventory.Model{}, &fault.Fault{Err: c.noFile(), Try: "run it in the project's directory, or name the file: ccdestroy -f FILE", Code: fault.ExitFailed}
	}
	full, err := opts.LoadProject(ctx)
	if err != nil {
		return inventory.Model{}, err
	}
	return c.model(full)
}

// Services are the names of the services of the files, also of inactive profiles;
// none where the files cannot be read here, or are on standard input.
func (c *Compose) Services(ctx context.Context) []string {
	logrus.SetOutput(io.Discard)
	opts, err := c.options()
	if err != nil || len(opts.ConfigPaths) == 0 || slices.Contains(opts.ConfigPaths, "-") {
		return nil
	}
	full, err := opts.LoadProject(ctx)
	if err != nil {
		return nil
	}
	return append(full.ServiceNames(), full.DisabledServiceNames()...)
}

// model applies Compose's selection to the loaded project.
func (c *Compose) model(full *types.Project) (inventory.Model, error) {
	if full.Name == "" {
		return inventory.Model{}, errors.New("project name can't be empty")
	}
	for _, name := range c.Args.Services {
		if _, ok := full.AllServices()[name]; !ok {
			return inventory.Model{}, unknownService(name, full)
		}
	}
	enabled, err := full.WithServicesEnabled(c.Args.Services...)
	if err != nil {
		return inventory.Model{}, err
	}
	selected, err := enabled.WithSelectedServices(c.Args.Services)
	if err != nil {
		return inventory.Model{}, err
	}
	effective := selected
	if !c.Args.AllResources {
		effective = selected.WithoutUnnecessaryResources()
	}
	return c.translate(full, effective), nil
}

func unknownService(name string, p *types.Project) error {
	names := append(p.ServiceNames(), p.DisabledServiceNames()...)
	return &fault.Fault{
		Err:  fmt.Errorf("no such service: %q", name),
		Try:  "one of " + strings.Join(names, ", "),
		Code: fault.ExitFailed,
	}
}

// lendStdin lets compose-go, which reads os.Stdin, read a copy of it in a
// nameless file.
func (c *Compose) lendStdin(ctx context.Context) (restore func(), err error) {
	in, err := c.input(ctx)
	if err != nil || in == nil {
		return func() {}, err
	}
	tmp, err := os.CreateTemp("", "ccdestroy-stdin-*")
	if err == nil {
		_ = os.Remove(tmp.Name()) // Windows refuses; the file then stays until the next clean-up
		if _, err = io.Copy(tmp, in); err == nil {
			_, err = tmp.Seek(0, io.SeekStart)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("copy standard input: %w", err)
	}
	saved := os.Stdin
	os.Stdin = tmp
	return func() {
		os.Stdin = saved
		tmp.Close()
	}, nil
}

// projectNameEnv is the COMPOSE_PROJECT_NAME that Compose falls back to: from the
// environment, or else from the .env or --env-file files that it reads first.
func (c *Compose) projectNameEnv() string {
	if name := c.getenv(consts.ComposeProjectName); name != "" {
		return name
	}
	opts, err := cli.NewProjectOptions(append([]string(nil), c.Args.Files...),
		cli.WithWorkingDirectory(c.Args.ProjectDirectory), cli.WithEnv(c.Env), cli.WithEnvFiles(c.envFiles()...))
	if err != nil {
		return ""
	}
	vars, err := dotenv.GetEnvFromFile(opts.Environment, opts.EnvFiles)
	if err != nil {
		return ""
	}
	return vars[consts.ComposeProjectName]
}

func (c *Compose) fallsBack() bool { return c.projectNameEnv() != "" }
