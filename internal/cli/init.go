package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

type initCmd struct {
	File          string        `short:"f" placeholder:"FILE" completion-predictor:"file" help:"The compose file (default: the one that Docker Compose would take)."`
	Require       string        `enum:",export" default:"" placeholder:"WHAT" help:"export: refuse to destroy volumes of which there is no export."`
	Yes           bool          `short:"y" help:"Do not ask."`
	PromptTimeout time.Duration `default:"10m" placeholder:"TIME" help:"How long the question waits for an answer (${default})."`
}

var errNoServices = errors.New("it has no services")

// auditService is the name of the service.
const auditService = "audit"

// Run shows the change, asks, and writes it.
func (c initCmd) Run(ctx context.Context, p Process) error {
	path, err := c.path(p)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return &teardown.Fault{Err: err, Try: "ccdestroy init -f FILE", Code: teardown.ExitUsage}
	}
	wrong := func(err error) error {
		return &teardown.Fault{Err: fmt.Errorf("%s: %w", path, err), Try: "add the service by hand: docs/provider.md", Code: teardown.ExitFailed}
	}
	line, block, err := c.insertion(data)
	if err != nil {
		return wrong(err)
	}
	if block == "" {
		p.say("%s has the service already", path)
		return nil
	}
	fmt.Fprintf(p.Stderr, "%s, after line %d:\n\n", render.Terminal(path), line)
	for text := range strings.Lines(block) {
		fmt.Fprintf(p.Stderr, "+%s\n", render.Terminal(strings.TrimSuffix(text, "\n")))
	}
	fmt.Fprintln(p.Stderr)
	changed := insert(string(data), line, block)
	if err := loads(ctx, p, path, changed); err != nil {
		return wrong(fmt.Errorf("with the service it would not load: %w", err))
	}
	if (destroyFlags{Yes: c.Yes}).confirmation(p, false) == teardown.Interactive {
		if err := (screen{p: p, timeout: c.PromptTimeout}).confirm(ctx, "yes", "write this", "cancelled: nothing was written"); err != nil {
			return err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := durable.ReplaceFile(path, []byte(changed), info.Mode().Perm()); err != nil {
		return err
	}
	p.say("Written. From now on docker compose down, run where ccdestroy is on the PATH, is recorded.")
	return nil
}

// path is the compose file, behind symbolic links: what is replaced is the file.
func (c initCmd) path(p Process) (string, error) {
	path := p.abs(c.File)
	if c.File == "" {
		path = ""
		for _, name := range []string{"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"} {
			if _, err := os.Stat(p.abs(name)); err == nil {
				path = p.abs(name)
				break
			}
		}
		if path == "" {
			return "", &teardown.Fault{Err: fmt.Errorf("there is no compose file in %s", p.Dir), Try: "ccdestroy init -f FILE", Code: teardown.ExitFailed}
		}
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", &teardown.Fault{Err: err, Try: "ccdestroy init -f FILE", Code: teardown.ExitUsage}
	}
	return real, nil
}

// insertion is the service as text, and the line after which it belongs; "" when
// the file has it already.
func (c initCmd) insertion(data []byte) (line int, block string, err error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return 0, "", err
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return 0, "", errNoServices
	}
	root := doc.Content[0]
	for i := 0; i < len(root.Content); i += 2 {
		key, services := root.Content[i], root.Content[i+1]
		if key.Value != "services" {
			continue
		}
		if services.Kind != yaml.MappingNode || len(services.Content) == 0 {
			return 0, "", errNoServices
		}
		if services.Style&yaml.FlowStyle != 0 || services.Content[0].Line <= key.Line {
			return 0, "", fmt.Errorf("line %d: services are not one to a line", key.Line)
		}
		block, err := c.block(services)
		return key.Line, block, err
	}
	return 0, "", errNoServices
}

func (c initCmd) block(services *yaml.Node) (string, error) {
	var names []string
	for i := 0; i < len(services.Content); i += 2 {
		name, service := services.Content[i].Value, services.Content[i+1]
		provider := field(service, "provider")
		if typ := field(provider, "type"); typ != nil && typ.Value == "ccdestroy" {
			return "", nil
		}
		if name == auditService {
			return "", fmt.Errorf("line %d: there is another service called %s", services.Content[i].Line, auditService)
		}
		if field(service, "profiles") == nil { // one that is off cannot be depended on
			names = append(names, name)
		}
	}
	indent := strings.Repeat(" ", services.Content[0].Column-1)
	var b strings.Builder
	b.WriteString(indent + "# Has every docker compose down of this project recorded: ccdestroy audit.\n")
	b.WriteString(indent + auditService + ":\n")
	b.WriteString(indent + indent + "provider:\n" + indent + indent + indent + "type: ccdestroy\n")
	if c.Require != "" {
		b.WriteString(indent + indent + indent + "options:\n" + indent + indent + indent + indent + "require: " + c.Require + "\n")
	}
	if len(names) > 0 {
		list, err := yaml.Marshal(names)
		if err != nil {
			return "", err
		}
		b.WriteString(indent + indent + "depends_on: # all others, so that it is called before anything is removed\n")
		for name := range strings.Lines(string(list)) {
			b.WriteString(indent + indent + indent + strings.TrimLeft(name, " "))
		}
	}
	return b.String() + "\n", nil
}

// field is the value of a key of a mapping, or nil.
func field(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// insert puts the block behind a line, in the file's own line ends.
func insert(text string, line int, block string) string {
	lines := strings.SplitAfterN(text, "\n", line+1)
	if strings.HasSuffix(lines[0], "\r\n") {
		block = strings.ReplaceAll(block, "\n", "\r\n")
	}
	rest := ""
	if len(lines) > line {
		rest = lines[line]
	}
	return strings.Join(lines[:min(line, len(lines))], "") + block + rest
}

// loads makes sure that the changed file is a project.
func loads(ctx context.Context, p Process, path, changed string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ccdestroy-init-*.yaml")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.WriteString(changed); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	_, err = p.compose(compose.Args{Files: []string{tmp.Name()}}).Model(ctx)
	return err
}
