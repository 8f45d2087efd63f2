package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"go.yaml.in/yaml/v4"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

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

// errNoFile is Compose's complaint in a directory without files.
var errNoFile = errors.New("no compose file was found here or in a parent directory")

// noFile is errNoFile with the directory, where one was named.
func (c *Compose) noFile() error {
	if c.Args.ProjectDirectory == "" {
		return errNoFile
	}
	return fmt.Errorf("%q: %w", c.Args.ProjectDirectory, errNoFile)
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
