// Package plans keeps what the scenarios of the end-to-end tests gave: the model
// and the snapshot that a teardown is planned from, what the plan must be, and
// what Docker Compose really removed then.
package plans

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Case is one scenario.
type Case struct {
	Model     inventory.Model
	Options   inventory.Options
	Snapshot  inventory.Snapshot
	Removed   []string // what docker compose down removed, as "kind name"
	Open      bool     // which of the resources go is up to the engine
	Inventory inventory.Inventory
}

// Path is the file of a scenario below a directory.
func Path(dir, scenario string) string {
	name := unsafe.ReplaceAllString(strings.ToLower(scenario), "-")
	return filepath.Join(dir, strings.Trim(name, "-.")+".json")
}

var unsafe = regexp.MustCompile(`[^a-z0-9_.]+`)

// Read reads a case.
func Read(path string) (c Case, err error) {
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	return c, err
}

// Write writes a case, if need be over another.
func (c Case) Write(path string) error {
	data, err := Encode(c)
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	return err
}

// Encode is a value as JSON without its empty parts, a line for each resource.
func Encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	tree, _ = prune(tree)
	var out bytes.Buffer
	write(&out, tree, 0)
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// prune drops what is empty. kept is false when nothing is left.
func prune(v any) (left any, kept bool) {
	switch v := v.(type) {
	case nil:
		return nil, false
	case string:
		return v, v != "" && v != "0001-01-01T00:00:00Z"
	case bool:
		return v, v
	case float64:
		return v, v != 0
	case []any:
		for i := range v {
			v[i], _ = prune(v[i])
		}
		return v, len(v) > 0
	case map[string]any:
		for key := range v {
			if v[key], kept = prune(v[key]); !kept {
				delete(v, key)
			}
		}
		return v, len(v) > 0
	}
	return v, true
}

// deep is from where on everything stands on one line.
const deep = 3

func write(out *bytes.Buffer, v any, depth int) {
	object, isObject := v.(map[string]any)
	list, isList := v.([]any)
	if depth == deep || !isObject && !isList {
		data, _ := json.Marshal(v) // it was JSON before
		out.Write(data)
		return
	}
	comma := func(i int) {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n" + strings.Repeat("  ", depth+1))
	}
	if isList {
		out.WriteByte('[')
		for i, one := range list {
			comma(i)
			write(out, one, deep)
		}
		out.WriteString("\n" + strings.Repeat("  ", depth) + "]")
		return
	}
	out.WriteByte('{')
	for i, key := range slices.Sorted(maps.Keys(object)) {
		comma(i)
		name, _ := json.Marshal(key)
		out.Write(append(name, ':', ' '))
		write(out, object[key], depth+1)
	}
	out.WriteString("\n" + strings.Repeat("  ", depth) + "}")
}
