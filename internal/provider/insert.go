package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/teardown"
)

// Insertion is the change to a compose file that makes a plain docker compose down be
// recorded.
type Insertion struct {
	Path  string // of the file itself, with symbolic links resolved, since it is replaced
	Line  int    // after which Block goes
	Block string // "" where the file has the service already

	changed string
}

var errNoServices = errors.New("it has no services")

// auditService is the name of the service.
const auditService = "audit"

// Plan finds out what to insert into the file at path, or into the one that
// Docker Compose would take in dir. require is an option of the service, or "".
// resolver is Compose with one file: the changed one must load.
func Plan(ctx context.Context, dir, path, require string, resolver func(file string) teardown.Resolver) (ins Insertion, err error) {
	within := ""
	if path == "" {
		if within, path = dir, find(dir); path == "" {
			return ins, &fault.Fault{Err: fmt.Errorf("there is no compose file in %s", dir), Try: "ccdestroy init -f FILE", Code: fault.ExitFailed}
		}
	}
	var data []byte
	if ins.Path, data, err = durable.ReadWithin(within, path); err != nil {
		return ins, &fault.Fault{Err: err, Try: "ccdestroy init -f FILE", Code: fault.ExitUsage}
	}
	wrong := func(err error) error {
		return &fault.Fault{Err: fmt.Errorf("%s: %w", ins.Path, err), Try: "change it by hand: docs/provider.md", Code: fault.ExitFailed}
	}
	if ins.Line, ins.Block, err = insertion(data, require); err != nil {
		return ins, wrong(err)
	}
	ins.changed = insert(string(data), ins.Line, ins.Block)
	if ins.Block == "" {
		return ins, nil
	}
	if err := loads(ctx, ins.Path, ins.changed, resolver); err != nil {
		return ins, wrong(fmt.Errorf("with the service it would not load: %w", err))
	}
	return ins, nil
}

// Write makes the change. The file keeps its mode and its owner.
func (ins Insertion) Write() error {
	return durable.RewriteFile(ins.Path, []byte(ins.changed))
}

// find is the file that Docker Compose would take in dir, or "".
func find(dir string) string {
	for _, name := range []string{"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name)
		}
	}
	return ""
}

// insertion is the service as text, and the line after which it belongs; "" when
// the file has it already.
func insertion(data []byte, require string) (line int, block string, err error) {
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
		text, err := serviceBlock(services, require)
		return key.Line, text, err
	}
	return 0, "", errNoServices
}

func serviceBlock(services *yaml.Node, require string) (string, error) {
	var names []string
	for i := 0; i < len(services.Content); i += 2 {
		name, service := services.Content[i].Value, services.Content[i+1]
		provider := field(service, "provider")
		if typ := field(provider, "type"); typ != nil && typ.Value == "ccdestroy" {
			if has := field(field(provider, "options"), "require"); require != "" && (has == nil || has.Value != require) {
				return "", fmt.Errorf("line %d: the service %s is there already, without options: {require: %s}", services.Content[i].Line, name, require)
			}
			return "", nil
		}
		if name == auditService {
			return "", fmt.Errorf("line %d: there is another service called %s", services.Content[i].Line, auditService)
		}
		if field(service, "profiles") == nil { // a service that is off cannot be depended on
			names = append(names, name)
		}
	}
	indent := strings.Repeat(" ", services.Content[0].Column-1)
	var b strings.Builder
	b.WriteString(indent + "# Has every docker compose down of this project recorded: ccdestroy audit.\n")
	b.WriteString(indent + auditService + ":\n")
	b.WriteString(indent + indent + "provider:\n" + indent + indent + indent + "type: ccdestroy\n")
	if require != "" {
		b.WriteString(indent + indent + indent + "options:\n" + indent + indent + indent + indent + "require: " + require + "\n")
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

// insert puts the block after a line, with the file's own line endings.
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
func loads(ctx context.Context, path, changed string, resolver func(string) teardown.Resolver) error {
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
	_, err = resolver(tmp.Name()).Model(ctx)
	return err
}
