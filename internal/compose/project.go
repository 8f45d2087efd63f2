package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

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
