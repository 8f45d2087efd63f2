package cli

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/contextcore/ccdestroy/"

// arrows says which of our packages each may import; packages that are not
// listed may import none.
var arrows = map[string][]string{
	"cmd/ccdestroy":     {"internal/cli"},
	"internal/cli":      {"internal/actor", "internal/archive", "internal/audit", "internal/command", "internal/compose", "internal/durable", "internal/engine", "internal/export", "internal/prune", "internal/render", "internal/teardown", "internal/watch"},
	"internal/archive":  {"internal/durable"},
	"internal/audit":    {"internal/durable"},
	"internal/teardown": {"internal/audit"},
	"internal/command":  {"internal/audit", "internal/teardown"},
	"internal/engine":   {"internal/teardown"},
	"internal/export":   {"internal/archive", "internal/audit", "internal/durable", "internal/teardown"},
	"internal/compose":  {"internal/teardown", "internal/durable"},
	"internal/prune":    {"internal/audit", "internal/teardown"},
	"internal/watch":    {"internal/teardown"},
	"internal/render":   {"internal/archive", "internal/audit", "internal/teardown"},

	"internal/lab/logs/genlog": {"internal/lab/logs"},
}

// only says which packages may import these others' modules.
var only = map[string]string{
	"github.com/docker/docker/":           "internal/engine",
	"github.com/docker/cli/":              "internal/engine",
	"github.com/compose-spec/compose-go/": "internal/compose",
	"github.com/alecthomas/kong":          "internal/cli",
	"github.com/docker/go-units":          "internal/render",
	"github.com/vbauerster/mpb/":          "internal/render",
	"github.com/klauspost/compress/":      "internal/archive",
}

func TestArrows(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "../../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		pkg := strings.TrimPrefix(words[0], module)
		for _, imp := range words[1:] {
			if room, ours := strings.CutPrefix(imp, module); ours {
				seen++
				if !slices.Contains(arrows[pkg], room) {
					t.Errorf("%s must not import %s", pkg, room)
				}
			}
			for prefix, room := range only {
				if strings.HasPrefix(imp, prefix) && pkg != room {
					t.Errorf("%s must not import %s: only %s may", pkg, imp, room)
				}
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d arrows were seen: go list printed\n%s", seen, out)
	}
}
