package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// What protects adds up from every place, with where it is from.
func TestProtectAddsUp(t *testing.T) {
	need.Root(t)
	f := settingsIn(t, project(t))
	put(t, f.project, "protect:\n  - pg*\n  - shared\n")
	put(t, f.user, "protect: mine,shared\n")
	put(t, f.machine, "protect: [theirs]\nenforce:\n  protect: [prod_*, pg*]\n")
	p := Process{Dir: f.dir, Environ: []string{"XDG_CONFIG_HOME=" + filepath.Join(f.dir, "config"), "CCDESTROY_PROTECT=a,b"}}
	p.set = &settings{p: p}
	var g grammar
	parser := newParser(&g, p, p.set)
	p.set.app = func() *kong.Application { return parser.Model }
	p.set.read()
	if p.set.wrong != nil {
		t.Fatal(p.set.wrong)
	}
	got, err := p.set.patterns([]string{"typed"})
	if err != nil {
		t.Fatal(err)
	}
	want := inventory.Patterns{
		"prod_*": {From: f.machine + ":3", Enforced: true}, "pg*": {From: f.machine + ":3", Enforced: true}, "a": {From: "$CCDESTROY_PROTECT"}, "b": {From: "$CCDESTROY_PROTECT"},
		"mine": {From: f.user + ":1"}, "shared": {From: f.user + ":1"}, "theirs": {From: f.machine + ":1"}, "typed": {From: "--protect"},
	}
	for pattern := range want {
		if got[pattern] != want[pattern] {
			t.Errorf("%s: %v", pattern, got[pattern])
		}
	}
	if len(got) != len(want) {
		t.Error(got)
	}
	if text := config(t, f.dir, []string{"CCDESTROY_PROTECT=a,b"}, "protect"); text != "prod_*,pg* "+f.machine+":3 enforced; a,b $CCDESTROY_PROTECT; mine,shared "+f.user+":1; theirs "+f.machine+":1; pg*,shared "+f.project+":1" {
		t.Error(text)
	}
}

// A pattern that is none is told with its place, before anything is done.
func TestProtectBadPattern(t *testing.T) {
	f := settingsIn(t, project(t))
	bad := func(says string, env []string, args ...string) {
		t.Helper()
		for _, command := range [][]string{nil, {"inventory"}, {"--dry-run"}, {"prune", "--yes"}, {"restore", "x"}} {
			refused(t, call(t, f.dir, env, append(command, args...)...), says, "is not a pattern")
		}
	}
	bad(`--protect: "[a"`, nil, "--protect", "[a")
	bad(`--protect: ""`, nil, "--protect", "")
	bad(`--protect: "b]["`, nil, "--protect", "a*,b][")
	bad(`$CCDESTROY_PROTECT: "a["`, []string{"CCDESTROY_PROTECT=x,a["})
	put(t, f.project, "color: auto\nprotect: ['ok', 'b\\']\n")
	bad(f.project+`:2: "b\\"`, nil)
}

// Where a reason is required, what destroys asks for one.
func TestReasonRequired(t *testing.T) {
	f := settingsIn(t, project(t))
	t.Chdir(f.dir) // Compose's files are looked for here, and not in this repository
	put(t, filepath.Join(f.dir, "compose.yaml"), "name: shop\nservices:\n  web: {image: x}\n")
	engine := []string{"CI=true", "CCDESTROY_YES=true"}
	export := filepath.Join(f.dir, "export")
	commands := [][]string{{}, {"down"}, {"prune"}, {"restore", "--overwrite", export}}
	for place, set := range map[string]func(){
		f.project + ":1": func() { put(t, f.project, "reason: required\n") },
		f.user + ":1":    func() { put(t, f.project, ""); put(t, f.user, "reason: required\n") },
		"$CCDESTROY_REASON": func() {
			put(t, f.project, "")
			put(t, f.user, "")
			engine = append(engine, "CCDESTROY_REASON=required")
		},
	} {
		set()
		for _, args := range commands {
			refused(t, call(t, f.dir, engine, args...), place+" requires a reason\nTry: the same command with --reason TEXT")
			for _, blank := range []string{" ", "\u200b"} {
				refused(t, call(t, f.dir, engine, append(args, "--reason", blank)...), "requires a reason")
			}
			for _, r := range []result{call(t, f.dir, engine, append(args, "--reason", "a test")...), call(t, f.dir, append(engine, "CCDESTROY_REASON=a test"), args...)} {
				if r.code == 2 || strings.Contains(r.stderr, "requires a reason") {
					if place != "$CCDESTROY_REASON" { // which is then no requirement
						t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
					}
				}
			}
		}
		for _, args := range [][]string{{"--dry-run"}, {"prune", "--dry-run"}, {"restore", export}, {"audit"}, {"record", "--operation", "x", "--outcome", "failed"}} {
			if r := call(t, f.dir, engine, args...); strings.Contains(r.stderr, "requires a reason") {
				t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
			}
		}
		engine = engine[:2]
		put(t, f.user, "")
	}
}

// What the machine's file enforces stands before everything, and the command line
// that says otherwise is refused.
func TestEnforced(t *testing.T) {
	need.Root(t)
	f := settingsIn(t, project(t))
	log, other := filepath.Join(t.TempDir(), "central.jsonl"), filepath.Join(f.dir, "other.jsonl")
	put(t, f.machine, "log: /nowhere/else.jsonl\nenforce:\n  log: "+log+"\n  export: /var/exports\n  reason: required\n")
	put(t, f.user, "log: "+other+"\n")
	if r := call(t, f.dir, []string{"CCDESTROY_LOG=" + other}, "record", "--operation", "x", "--outcome", "failed"); r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.stderr)
	}
	if r := call(t, f.dir, nil, "run", "--operation", "x", "--log", log, "--", "true"); r.code != 0 {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	linked := filepath.Join(f.dir, "linked.jsonl")
	if err := os.Link(log, linked); err != nil {
		t.Fatal(err)
	}
	refused(t, call(t, f.dir, nil, "record", "--log", linked, "--operation", "x", "--outcome", "failed"), "enforces "+log)
	if data, err := os.ReadFile(log); err != nil || strings.Count(string(data), "\n") != 3 {
		t.Errorf("%v %q", err, data)
	}
	to := "--log=" + other
	for _, args := range [][]string{{to}, {"down", to}, {"--yes", "--log="}, {"prune", to}, {"watch", to}, {"reconcile", to}, {"export", to}, {"restore", "x", to},
		{"record", to, "--operation", "x", "--outcome", "failed"}, {"run", to, "--operation", "x", "--", "touch", "done"}, {"compose", "--project-name", "x", "down", to, "audit"}} {
		r := call(t, f.dir, []string{"CCDESTROY_REASON=x"}, args...)
		if args[0] == "compose" { // which answers in Compose's protocol
			r.stderr = strings.ReplaceAll(r.stdout, " (try:", "\nTry:")
		}
		refused(t, r, ": "+f.machine+":3 enforces "+log)
	}
	for _, args := range [][]string{{"--export", "elsewhere"}, {"--export="}, {"down", "--export", "elsewhere"}} {
		refused(t, call(t, f.dir, []string{"CCDESTROY_REASON=x"}, args...), f.machine+":4 enforces /var/exports")
	}
	refused(t, call(t, f.dir, nil), f.machine+":5 requires a reason")
	if _, err := os.Stat(other); err == nil {
		t.Error("the other log was written")
	}
	if _, err := os.Stat(filepath.Join(f.dir, "done")); err == nil {
		t.Error("the command was run")
	}
	if r := call(t, f.dir, nil, "audit", "--log", filepath.Join(filepath.Dir(f.project), ".contextcore", "audit.jsonl")); r.code != 0 || strings.Count(r.stdout, "\n") != 21 { // reading is free
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
	for key, want := range map[string]string{"log": log + " " + f.machine + ":3 enforced", "export": "/var/exports " + f.machine + ":4 enforced", "reason": "required " + f.machine + ":5 enforced"} {
		if got := config(t, f.dir, []string{"CCDESTROY_LOG=" + other}, key); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	if r := call(t, f.dir, nil, "config"); !strings.Contains(r.stdout, "enforces export, log, reason") || !strings.Contains(r.stdout, ":3 (enforced)") {
		t.Error(r.stdout)
	}
	for text, says := range map[string]string{
		"enforce:\n  yes: true\n":                 `:2: "yes" cannot be enforced, only agents, export, keep-for, log, otlp, otlp-headers-file, protect, reason`,
		"enforce: log\n":                          ":1: KEY: VALUE lines",
		"enforce:\n  enforce: {log: x}\n":         `:2: "enforce" cannot be enforced`,
		"enforce:\n  log: x\nenforce: {log: y}\n": `:3: key "enforce" twice`,
	} {
		put(t, f.machine, text)
		refused(t, call(t, f.dir, nil, "audit"), f.machine+says)
	}
}

// A project makes the time for which volumes are kept longer, and never shorter;
// what the machine enforces cannot be undercut.
func TestKeepForSettings(t *testing.T) {
	file := func(who, text string) *settingsFile {
		return &settingsFile{who: who, keys: map[string]setting{keepKey: {value: text, from: who}}}
	}
	for _, c := range []struct {
		user, machine, project, env string
		keeps                       string
		projectKeeps                time.Duration
	}{
		{keeps: ""},
		{user: "1d", keeps: "1d"},
		{user: "1d", machine: "3d", keeps: "1d"},
		{machine: "3d", keeps: "3d"},
		{project: "30d", keeps: "", projectKeeps: 720 * time.Hour},
		{user: "1d", project: "30d", keeps: "720h0m0s", projectKeeps: 720 * time.Hour},
		{user: "40d", project: "30d", keeps: "40d", projectKeeps: 720 * time.Hour},
		{project: "30d", env: "1h", keeps: "1h", projectKeeps: 720 * time.Hour},
	} {
		s := &settings{}
		for who, text := range map[string]string{ofUser: c.user, ofMachine: c.machine, ofProject: c.project} {
			if text != "" {
				s.files = append(s.files, file(who, text))
			}
		}
		rank := map[string]int{ofUser: 0, ofMachine: 1, ofProject: 2}
		slices.SortFunc(s.files, func(a, b *settingsFile) int { return rank[a.who] - rank[b.who] })
		if c.env != "" {
			s.p.Environ = []string{"CCDESTROY_KEEP_FOR=" + c.env}
		}
		if got, longer := s.keeps(), time.Duration(s.projectKeeps()); got != c.keeps || longer != c.projectKeeps {
			t.Errorf("%+v: %q, %s", c, got, longer)
		}
	}
	for text, want := range map[string]time.Duration{"0": 0, "7d": 168 * time.Hour, "2w": 336 * time.Hour, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute} {
		if got, err := parseKeepTime(text); err != nil || time.Duration(got) != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "7", "-1d", "-1h", "d", "1 d", "999999d", "15251w", "30501w"} {
		if got, err := parseKeepTime(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	if !shorter(Process{}, "7d", "1h0m0s") || shorter(Process{}, "7d", "168h0m0s") {
		t.Error("shorter")
	}
}
