package cli

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/contextcore/ccdestroy/"

// leaves are the rooms that every other one may enter: they know nothing of what
// the program is for.
var leaves = []string{"internal/fault", "internal/durable", "internal/actor"}

// wiring is the room that may enter all others of the product.
const wiring = "internal/cli"

// arrows says which of our packages each other one may import besides; packages
// that are not listed may import none.
var arrows = map[string][]string{
	"cmd/ccdestroy":      {"internal/cli"},
	"internal/provider":  {"internal/audit", "internal/compose", "internal/engine", "internal/inventory", "internal/record", "internal/teardown"},
	"internal/teardown":  {"internal/audit", "internal/inventory", "internal/record", "internal/trash", "internal/undo"},
	"internal/undo":      {"internal/audit", "internal/inventory", "internal/record", "internal/trash"},
	"internal/trash":     {"internal/inventory"},
	"internal/export":    {"internal/archive", "internal/audit", "internal/inventory", "internal/record"},
	"internal/prune":     {"internal/audit", "internal/inventory", "internal/record", "internal/trash", "internal/undo"},
	"internal/reap":      {"internal/audit", "internal/inventory", "internal/record"},
	"internal/guard":     {"internal/audit", "internal/inventory", "internal/prune", "internal/record", "internal/trash", "internal/undo"},
	"internal/hook":      {},
	"internal/command":   {"internal/audit", "internal/inventory", "internal/record"},
	"internal/watch":     {"internal/audit", "internal/inventory", "internal/record"},
	"internal/render":    {"internal/archive", "internal/audit", "internal/inventory", "internal/record"},
	"internal/record":    {"internal/audit", "internal/inventory"},
	"internal/engine":    {"internal/inventory"},
	"internal/compose":   {"internal/inventory"},
	"internal/archive":   {},
	"internal/makefile":  {},
	"internal/audit":     {},
	"internal/store":     {"internal/audit", "internal/transport"},
	"internal/otlp":      {"internal/audit", "internal/store", "internal/transport"},
	"internal/transport": {},
	"internal/terminal":  {},
	"internal/inventory": {},

	"internal/lab/logs/genlog":  {"internal/lab/logs"},
	"internal/lab/plans":        {"internal/inventory"},
	"internal/lab/plans/dump":   {"internal/compose", "internal/engine", "internal/inventory", "internal/lab/plans"},
	"internal/lab/fake":         {"internal/audit", "internal/inventory", "internal/trash"},
	"internal/lab/built":        {"internal/lab/need"},
	"internal/lab/s3lab":        {"internal/lab/built", "internal/lab/need"},
	"internal/lab/otellab":      {"internal/lab/built"},
	"internal/lab/year":         {"internal/audit", "internal/lab/logs", "internal/store"},
	"internal/lab/year/genyear": {"internal/lab/year", "internal/store"},
}

// only says which packages may import these modules of others.
var only = map[string]string{
	"github.com/docker/docker/":           "internal/engine",
	"github.com/docker/cli/":              "internal/engine",
	"github.com/compose-spec/compose-go/": "internal/compose",
	"github.com/alecthomas/kong":          "internal/cli",
	"mvdan.cc/sh/":                        "internal/hook",
	"github.com/docker/go-units":          "internal/render",
	"github.com/vbauerster/mpb/":          "internal/render",
	"github.com/klauspost/compress/":      "internal/archive internal/store",
	"github.com/minio/minio-go/":          "internal/store",
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
				if pkg == wiring && !strings.HasPrefix(room, "internal/lab/") {
					continue
				}
				if !slices.Contains(arrows[pkg], room) && !(slices.Contains(leaves, room) && !slices.Contains(leaves, pkg) && pkg != "internal/inventory") {
					t.Errorf("%s must not import %s", pkg, room)
				}
			}
			for prefix, room := range only {
				if strings.HasPrefix(imp, prefix) && !slices.Contains(strings.Fields(room), pkg) && !strings.HasPrefix(pkg, "internal/lab/") {
					t.Errorf("%s must not import %s: only %s may", pkg, imp, room)
				}
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d arrows were seen: go list printed\n%s", seen, out)
	}
}

// Every room is in the floor plan of CONTRIBUTING.md.
func TestFloorPlan(t *testing.T) {
	page, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := os.ReadDir("..")
	if err != nil || len(rooms) < 10 {
		t.Fatal(len(rooms), err)
	}
	_, plan, _ := strings.Cut(string(page), "\n## Floor plan\n")
	plan, _, _ = strings.Cut(plan, "\n## ")
	for _, room := range rooms {
		if room.IsDir() && !strings.Contains(plan, "`internal/"+room.Name()+"`") && !strings.Contains(plan, ", `"+room.Name()+"`") {
			t.Errorf("internal/%s is missing", room.Name())
		}
	}
}
