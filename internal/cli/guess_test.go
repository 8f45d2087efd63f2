package cli

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tripwire is an environment in which a docker command and an engine leave a
// trace when anything asks them, in a directory with a project.
func tripwire(t *testing.T) (dir string, env []string, touched func() bool) {
	t.Helper()
	dir = t.TempDir()
	bin := t.TempDir()
	trace := filepath.Join(bin, "trace")
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\necho \"$@\" >> "+trace+"\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	put(t, filepath.Join(dir, "compose.yaml"), "name: shop\nservices:\n  web: {image: x}\n  db: {image: x, profiles: [p]}\n")
	socket := filepath.Join(bin, "engine")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	asked := make(chan struct{}, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
			select {
			case asked <- struct{}{}:
			default:
			}
		}
	}()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("DOCKER_HOST", "unix://"+socket)
	env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "DOCKER_HOST=unix://" + socket}
	return dir, env, func() bool {
		_, err := os.Stat(trace)
		return err == nil || len(asked) > 0
	}
}

// slips are words that are one or two slips of the fingers away from a word.
func slips(word string) (all []string) {
	one := func(w string) (out []string) {
		for i := range len(w) {
			out = append(out, w[:i]+w[i+1:], w[:i]+"x"+w[i:], w[:i]+string(w[i]^1)+w[i+1:])
			if i > 0 {
				out = append(out, w[:i-1]+w[i:i+1]+w[i-1:i]+w[i+1:])
			}
		}
		return append(out, w+"s")
	}
	near := one(word)
	for i := len(word) % 3; i < len(near); i += 3 {
		again := one(near[i])
		all = append(all, near[i], again[i%len(again)])
	}
	return all
}

// A mistyped command line is a usage error: nothing is asked of the engine or of
// docker, and so nothing is torn down.
func TestSlipsNeverTearDown(t *testing.T) {
	dir, env, touched := tripwire(t)
	var g grammar
	parser := newParser(&g, Process{}, &settings{})
	app := parser.Model
	commands, flags := append(childNames(app.Node), "web", "help"), []string{}
	for _, f := range slices.Concat(app.Flags, app.DefaultCmd.Flags) {
		flags = append(flags, "--"+f.Name)
		if f.Tag.Negatable != "" {
			flags = append(flags, "--no-"+f.Name)
		}
	}
	known := func(word string) bool {
		name, _, _ := strings.Cut(word, "=")
		return slices.Contains(commands, word) && word != "web" || flagNamed(slices.Concat(app.Flags, app.DefaultCmd.Flags), name) != nil
	}
	tried := 0
	try := func(args ...string) {
		t.Helper()
		tried++
		r := call(t, dir, env, args...)
		if r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, "\nTry: ") || touched() {
			t.Fatalf("%q: exit %d, engine or docker asked: %v\n%s%s", args, r.code, touched(), r.stdout, r.stderr)
		}
	}
	for _, name := range commands {
		for i, slip := range append(slips(name), name+" ", strings.ToUpper(name)) {
			if slip == "" || known(slip) || strings.HasPrefix(slip, "-") || slip == "web" {
				continue
			}
			switch i % 5 {
			case 0:
				try(slip)
			case 1:
				try(slip, "web")
			case 2:
				try("--profile", "worker", slip)
			case 3:
				try("-p", "shop", slip, "--yes")
			case 4:
				try("--yes", slip, "-n", "20")
			}
		}
	}
	for _, name := range flags {
		for i, slip := range slips(name) {
			if known(slip) || strings.Trim(slip, "-") == "" || strings.HasPrefix(slip, "-h") {
				continue
			}
			switch i % 4 {
			case 0:
				try(slip)
			case 1:
				try(slip, "worker")
			case 2:
				try("--yes", slip+"=worker")
			case 3:
				try("-p", "shop", slip)
			}
		}
	}
	for _, args := range [][]string{{"web"}, {"-p", "shop", "web"}, {"db"}, {"--yes", "web", "db"}, {"-f", "compose.yaml", "web"}, {""}, {"-n"}, {"-n", "20"}, {"--format", "json"}, {"--yes", "down"}, {"-p", "shop", "audit"}, {"-profile", "worker"}, {"help", "nosuch"}} {
		try(args...)
	}
	if tried < 500 {
		t.Errorf("only %d command lines were tried", tried)
	}
}

// What a guess says, word for word.
func TestGuesses(t *testing.T) {
	dir, env, touched := tripwire(t)
	for _, one := range []struct{ typed, says, try string }{
		{"audti", `"audti" is not a command. Did you mean audit?`, "ccdestroy audit"},
		{"audti list", `"audti" is not a command. Did you mean audit?`, "ccdestroy audit"},
		{"ccdestroy audit", `"ccdestroy" is not a command`, "ccdestroy --help"},
		{"frobnicate", `"frobnicate" is not a command`, "ccdestroy --help"},
		{"audit verfy", `"verfy" is not a command. Did you mean audit verify?`, "ccdestroy audit verify"},
		{"-n 20", "-n belongs to audit", "ccdestroy audit -n 20"},
		{"--overwrite", "--overwrite belongs to restore", "ccdestroy restore --help"},
		{"--profle x", "unknown flag --profle. Did you mean --profile?", "ccdestroy --help"},
		{"--no-volume", "unknown flag --no-volume. Did you mean --no-volumes?", "ccdestroy --help"},
		{"audit --outcom partial", "unknown flag --outcom. Did you mean --outcome?", "ccdestroy audit --help"},
		{"down -n 20", "down has no -n, which belongs to audit", "ccdestroy down --help"},
		{"restore x --dry-run", "restore has no --dry-run, which belongs to ccdestroy, down,", "ccdestroy restore --help"},
		{"web", `"web" is a service, not a command`, "ccdestroy down web"},
		{"db", `"db" is a service, not a command`, "ccdestroy down db"},
		{"-p shop --profile p web", `"web" is a service, not a command`, "ccdestroy -p shop --profile p down web"},
		{"wbe", `"wbe" is not a command. Did you mean the service web?`, "ccdestroy down web"},
		{"-p shop audit", "audit has no -p (--project-name)", "ccdestroy audit --project shop"},
		{"-f a.yaml audit verify", "audit verify has no -f (--file)", "ccdestroy audit verify --help"},
		{"--dry-run down web", "--dry-run belongs behind the command", "ccdestroy down web --dry-run"},
		{"-profile worker", `"-profile" begins with one dash. Did you mean --profile?`, "ccdestroy --help"},
		{"help audti", `"audti" is not a command. Did you mean audit?`, "ccdestroy audit"},
		{"audit --limit many", "--limit", "ccdestroy audit --help"},
	} {
		r := call(t, dir, env, strings.Fields(one.typed)...)
		if r.code != 2 || !strings.HasPrefix(r.stderr, "ccdestroy: "+one.says) || !strings.HasSuffix(r.stderr, "\nTry: "+one.try+"\n") {
			t.Errorf("%s: exit %d\n%s", one.typed, r.code, r.stderr)
		}
	}
	if touched() {
		t.Error("the engine or docker was asked")
	}
}

// help X is X --help, and audit ID is audit show ID.
func TestReworded(t *testing.T) {
	dir := project(t)
	same := func(a, b []string) {
		t.Helper()
		x, y := call(t, dir, nil, a...), call(t, dir, nil, b...)
		if x.code != 0 || x != y || x.stdout == "" {
			t.Errorf("%q: %+v\n%q: %+v", a, x, b, y)
		}
	}
	same([]string{"help"}, []string{"--help"})
	same([]string{"help", "audit"}, []string{"audit", "--help"})
	same([]string{"help", "audit", "verify"}, []string{"audit", "verify", "--help"})
	same([]string{"help", "down", "web"}, []string{"down", "--help"})
	same([]string{"help", "destroy", "--yes"}, []string{"destroy", "--help"})
	id := strings.TrimSpace(call(t, dir, nil, "audit", "-q", "-n", "1").stdout)
	same([]string{"audit", id}, []string{"audit", "show", id})
	same([]string{"audit", id, "--format", "json"}, []string{"audit", "show", id, "--format", "json"})
	same([]string{"--color", "never", "audit", id}, []string{"--color", "never", "audit", "show", id})
}

// Compose's flags before a command go behind its name.
func TestFlagsBeforeACommand(t *testing.T) {
	var g grammar
	parser := newParser(&g, Process{}, &settings{})
	for typed, want := range map[string]string{
		"--profile worker inventory":              "inventory --profile worker",
		"-f a.yaml down web":                      "down -f a.yaml web",
		"-fa.yaml --profile=w down web -t 3":      "down -fa.yaml --profile=w web -t 3",
		"--color never -p shop down":              "--color never down -p shop",
		"--parallel -1 down":                      "down --parallel -1",
		"--context prod prune -a":                 "prune --context prod -a",
		"-H x run --operation destroy -- down -f": "run -H x --operation destroy -- down -f",
		"-p audit":                      "-p audit",
		"-p audit down":                 "down -p audit",
		"down -f a.yaml web":            "down -f a.yaml web",
		"run --operation x -- ls audit": "run --operation x -- ls audit",
		"compose --project-name x down": "compose --project-name x down",
	} {
		got, err := reword(parser.Model, strings.Fields(typed))
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v", typed, got, err)
		}
	}
}
