//go:build unix

package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// stranger is an account that has no say.
const stranger = 4711

func own(t *testing.T, uid int, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Lchown(path, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
}

// callAs runs the program as another account, in a process of its own.
func callAs(t *testing.T, uid int, dir string, env []string, args ...string) result {
	t.Helper()
	return callIn(t, uid, uid, dir, env, args...)
}

// callIn is callAs with another group.
func callIn(t *testing.T, uid, gid int, dir string, env []string, args ...string) result {
	t.Helper()
	for above := dir; above != os.TempDir() && above != "/"; above = filepath.Dir(above) { // the tests' own
		if err := os.Chmod(above, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "cli.test")
	if err := os.Link(os.Args[0], program); err != nil && !os.IsExist(err) {
		need.Run(t, "cp", os.Args[0], program)
	}
	var stdout, stderr strings.Builder
	cmd := exec.Command(program, append([]string{"-test.run=^TestMainOfAnother$", "--"}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	cmd.Env = append([]string{"CCDESTROY_TEST_MAIN=" + machineSettings, "HOME=" + dir, "PATH=" + os.Getenv("PATH")}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// TestMainOfAnother is the program in the process of callAs.
func TestMainOfAnother(t *testing.T) {
	settings := os.Getenv("CCDESTROY_TEST_MAIN")
	if settings == "" {
		return
	}
	machineSettings = settings
	p := ThisProcess()
	p.Args = p.Args[2:]
	p.Now = func() time.Time { return clock }
	os.Exit(Main(p))
}

// Odd files in place of the project's.
func TestSettingsOddFiles(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(path string) error
		says string
	}{
		"link":      {func(path string) error { return os.Symlink("other.yaml", path) }, "symbolic link"},
		"pipe":      {func(path string) error { return syscall.Mkfifo(path, 0o600) }, "not a regular file"},
		"directory": {func(path string) error { return os.Mkdir(path, 0o700) }, "directory"},
		"1 GiB": {func(path string) error {
			return errorsOf(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<30))
		}, "larger than"},
		"deep":    {func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("[", 60_000)), 0o600) }, "max depth"},
		"binary":  {func(path string) error { return os.WriteFile(path, []byte("format: \x00json"), 0o600) }, "control characters"},
		"aliases": {func(path string) error { return os.WriteFile(path, []byte(bomb()), 0o600) }, "format: "},
	} {
		t.Run(name, func(t *testing.T) {
			f := settingsIn(t, project(t))
			put(t, filepath.Join(filepath.Dir(f.project), "other.yaml"), "format: json\n")
			if err := c.put(f.project); err != nil {
				t.Fatal(err)
			}
			refused(t, call(t, f.dir, nil, "audit"), f.project, c.says)
		})
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// bomb is small, and 10^9 texts when its aliases are followed.
func bomb() string {
	text := "format: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		last := "*a" + string(rune('0'+i))
		text += "color: &a" + string(rune('1'+i)) + " [" + strings.TrimSuffix(strings.Repeat(last+", ", 10), ", ") + "]\n"
	}
	return "format: [&x [y], *x, *x]\n" + text
}

// A project's file of another account is not obeyed: it stops what destroys or
// records, with a word about it, and nothing else. sudo counts as its caller.
func TestSettingsStrayProject(t *testing.T) {
	need.Root(t)
	f := settingsIn(t, project(t))
	put(t, f.project, "format: json\n")
	own(t, stranger, f.project)
	if err := os.Chmod(filepath.Join(filepath.Dir(f.project), ".contextcore"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{}, {"down"}, {"--dry-run"}, {"prune", "--yes"}, {"export"}, {"restore", "x"}, {"reconcile"}, {"watch"}, {"init", "--yes"}, {"audit", "rotate"}, {"audit", "accept", "--reason", "x"},
		{"record", "--operation", "x", "--outcome", "failed"}, {"run", "--operation", "x", "--", "touch", "done"}} {
		r := call(t, f.dir, nil, args...)
		refused(t, r, f.project+": it belongs to another account, so it is not obeyed (uid 4711)", "Try: touch "+filepath.Join(f.dir, settingsName))
	}
	if _, err := os.Stat(filepath.Join(f.dir, "done")); err == nil {
		t.Error("the command was run")
	}
	for _, args := range [][]string{{"audit"}, {"exports"}} {
		r := call(t, f.dir, nil, args...)
		if r.code != 0 || !strings.Contains(r.stderr, "WARNING: "+f.project+": it belongs to another account") || strings.HasPrefix(r.stdout, "[") {
			t.Errorf("%q: exit %d %.80s\n%s", args, r.code, r.stdout, r.stderr)
		}
	}
	for _, args := range [][]string{{"version"}, {"man"}, {"completion", "bash"}} {
		if r := call(t, f.dir, nil, args...); r.code != 0 || r.stderr != "" {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
	}
	if r := call(t, f.dir, nil, "config"); !strings.Contains(r.stdout, "not obeyed: it belongs to another account") {
		t.Error(r.stdout)
	}
	if r := call(t, f.dir, nil, "doctor"); !strings.Contains(r.stdout, "so it is not obeyed") || !strings.Contains(r.stdout, "Try: touch") {
		t.Error(r.stdout)
	}
	obeyed := func(r result) {
		t.Helper()
		if r.code != 0 || r.stderr != "" || !strings.HasPrefix(r.stdout, "[") {
			t.Errorf("exit %d %.80s\n%s", r.code, r.stdout, r.stderr)
		}
	}
	obeyed(call(t, f.dir, []string{"SUDO_UID=4711"}, "audit"))
	obeyed(callAs(t, stranger, f.dir, nil, "audit"))
	refused(t, callAs(t, stranger+1, f.dir, nil, "record", "--operation", "x", "--outcome", "failed"), "so it is not obeyed (uid 4711)")
	refused(t, callAs(t, stranger+1, f.dir, []string{"SUDO_UID=4711"}, "record", "--operation", "x", "--outcome", "failed"), "so it is not obeyed")
	own(t, 0, f.project)
	obeyed(callAs(t, stranger, f.dir, nil, "audit"))
	own(t, stranger, f.project)
	put(t, filepath.Join(f.dir, settingsName), "format: json\n") // the way out that was advised
	obeyed(call(t, f.dir, nil, "audit"))
}

// A hostile directory's link is its owner's, whatever it leads to.
func TestSettingsStrayLink(t *testing.T) {
	need.Root(t)
	f := settingsIn(t, project(t))
	put(t, filepath.Join(filepath.Dir(f.project), "roots.yaml"), "format: json\n")
	if err := os.Symlink("roots.yaml", f.project); err != nil {
		t.Fatal(err)
	}
	own(t, stranger, f.project)
	refused(t, call(t, f.dir, nil, "record", "--operation", "x", "--outcome", "failed"), "so it is not obeyed")
}

// The user's file is the user's own, or root's, and nobody else can write it.
func TestSettingsStrayUser(t *testing.T) {
	need.Root(t)
	f := settingsIn(t, project(t))
	put(t, f.user, "format: json\n")
	for name, c := range map[string]struct {
		uid  int
		mode os.FileMode
		env  string
		says string
	}{
		"own":                 {0, 0o600, "", ""},
		"another's":           {stranger, 0o600, "", "so it is not obeyed (uid 4711)"},
		"the caller's":        {stranger, 0o600, "SUDO_UID=4711", ""},
		"another caller's":    {stranger, 0o600, "SUDO_UID=4712", "so it is not obeyed"},
		"written by a group":  {0, 0o664, "", "other accounts can write it"},
		"written by everyone": {0, 0o646, "", "other accounts can write it"},
	} {
		own(t, c.uid, f.user)
		if err := os.Chmod(f.user, c.mode); err != nil {
			t.Fatal(err)
		}
		r := call(t, f.dir, []string{c.env}, "audit")
		if c.says != "" {
			refused(t, r, f.user, c.says)
		} else if r.code != 0 || !strings.HasPrefix(r.stdout, "[") {
			t.Errorf("%s: exit %d\n%s", name, r.code, r.stderr)
		}
	}
	own(t, 0, f.user)
	put(t, filepath.Join(filepath.Dir(f.user), "dotfiles.yaml"), "format: json\n") // users keep them elsewhere
	if err := errorsOf(os.Remove(f.user), os.Symlink("dotfiles.yaml", f.user)); err != nil {
		t.Fatal(err)
	}
	if r := call(t, f.dir, nil, "audit"); r.code != 0 || !strings.HasPrefix(r.stdout, "[") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// The machine's file is root's alone; one that is not stops everything but what
// helps to mend it.
func TestSettingsStrayMachine(t *testing.T) {
	need.Root(t)
	f := settingsIn(t, project(t))
	put(t, f.machine, "format: json\n")
	for says, spoil := range map[string]func() error{
		"it does not belong to root, but to uid 4711": func() error { return os.Chown(f.machine, stranger, 0) },
		"other accounts can write it":                 func() error { return os.Chmod(f.machine, 0o666) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		for _, env := range [][]string{nil, {"SUDO_UID=4711"}} {
			refused(t, call(t, f.dir, env, "audit"), f.machine+": "+says)
		}
		if r := call(t, f.dir, nil, "doctor"); r.code != 1 || !strings.Contains(r.stdout, says) {
			t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		if err := errorsOf(os.Chown(f.machine, 0, 0), os.Chmod(f.machine, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errorsOf(os.Chmod(f.machine, 0o600), os.Chmod(filepath.Dir(f.machine), 0o755)); err != nil {
		t.Fatal(err)
	}
	callAs(t, stranger, filepath.Dir(f.machine), nil, "version") // opens the way there
	refused(t, callAs(t, stranger, f.dir, nil, "audit"), f.machine+": permission denied")
}

// Root records in a log that it merely found only where the directory is its own,
// or that of sudo's caller. It reads any.
func TestRootRecordsWhereItMay(t *testing.T) {
	need.Root(t)
	dir := project(t)
	logs := filepath.Join(dir, ".contextcore")
	deep := filepath.Join(dir, "deep")
	if err := errorsOf(os.Mkdir(deep, 0o755), os.Mkdir(filepath.Join(dir, "bare"), 0o755)); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(logs, "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	same := func() {
		t.Helper()
		if now, err := os.ReadFile(filepath.Join(logs, "audit.jsonl")); err != nil || string(now) != string(before) {
			t.Fatalf("the log was changed: %v", err)
		}
		if names, err := filepath.Glob(filepath.Join(dir, "bare", ".*")); err != nil || len(names) > 0 {
			t.Fatalf("%q, %v", names, err)
		}
	}
	record := []string{"record", "--operation", "x", "--outcome", "failed"}
	for _, whose := range [][]string{{dir, logs}, {dir}, {logs}, {filepath.Join(dir, "bare")}} { // the last one has no log yet
		own(t, 0, dir, logs)
		own(t, stranger, whose...)
		from := deep
		if strings.HasSuffix(whose[0], "bare") {
			from = whose[0]
			if err := os.Rename(logs, filepath.Join(dir, "aside")); err != nil {
				t.Fatal(err)
			}
		}
		for _, args := range [][]string{record, {"run", "--operation", "x", "--", "touch", "done"}, {"prune", "--yes"}, {"reconcile"}, {"watch"}, {"audit", "rotate"}} {
			r := call(t, from, nil, args...)
			if r.code != 6 || !strings.Contains(r.stderr, "belongs to uid 4711") || !strings.Contains(r.stderr, "\nTry: --log FILE") {
				t.Errorf("%q, %q: exit %d\n%s", whose, args, r.code, r.stderr)
			}
		}
		if from != deep {
			if err := os.Rename(filepath.Join(dir, "aside"), logs); err != nil {
				t.Fatal(err)
			}
		}
		same()
	}
	own(t, stranger, dir, logs, filepath.Join(logs, "audit.jsonl"))
	for _, args := range [][]string{{"audit"}, {"audit", "verify"}, {"audit", "head"}, {"exports"}} {
		if r := call(t, deep, nil, args...); r.code != 0 {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.stderr)
		}
	}
	same()
	other := filepath.Join(t.TempDir(), "own.jsonl")
	for _, r := range []result{call(t, deep, nil, append(record, "--log", other)...), call(t, deep, nil, append(record, "--log", filepath.Join(logs, "audit.jsonl"))...), call(t, deep, []string{"SUDO_UID=4711"}, record...)} {
		if r.code != 0 {
			t.Errorf("exit %d\n%s", r.code, r.stderr)
		}
	}
	if now, err := os.ReadFile(filepath.Join(logs, "audit.jsonl")); err != nil || strings.Count(string(now), "\n") != strings.Count(string(before), "\n")+2 {
		t.Errorf("not recorded where it was told to: %v", err)
	}
}

// What init changes stays its owner's: root has no part in it.
func TestInitKeepsTheOwner(t *testing.T) {
	need.Root(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "compose.yaml")
	put(t, file, "services:\n  web:\n    image: busybox\n")
	own(t, stranger, dir, file)
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	r := call(t, dir, []string{"PATH=" + os.Getenv("PATH"), "SUDO_UID=4711"}, "init", "--yes")
	data, err := os.ReadFile(file)
	if r.code != 0 || err != nil || !strings.Contains(string(data), "type: ccdestroy") {
		t.Fatalf("exit %d, %v\n%s", r.code, err, r.stderr)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != stranger || st.Gid != stranger || info.Mode().Perm() != 0o640 {
		t.Errorf("uid %d, gid %d, mode %v", st.Uid, st.Gid, info.Mode())
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	put(t, file, "services:\n  web:\n    image: busybox\n")
	if r := callAs(t, stranger, dir, nil, "init", "--yes"); r.code != 0 {
		t.Errorf("its owner: exit %d\n%s", r.code, r.stderr)
	}
}

// The members of the group of a log write to it, whoever made it, with locks and
// all; others do not.
func TestLogGroup(t *testing.T) {
	need.Root(t)
	const admins = 4800
	for name, set := range map[string]func(f places) (env, args []string){
		"machine":  func(f places) ([]string, []string) { put(t, f.machine, "log-group: 4800\n"); return nil, nil },
		"variable": func(places) ([]string, []string) { return []string{"CCDESTROY_LOG_GROUP=4800"}, nil },
		"flag":     func(places) ([]string, []string) { return nil, []string{"--log-group", "4800"} },
	} {
		t.Run(name, func(t *testing.T) {
			f := settingsIn(t, t.TempDir())
			env, flag := set(f)
			callAs(t, stranger, filepath.Dir(f.machine), nil, "version") // opens the way there
			dir := filepath.Join(f.dir, "logs")
			if err := errorsOf(os.Mkdir(dir, 0o755), os.Lchown(dir, -1, admins), os.Chmod(dir, 0o2775)); err != nil {
				t.Fatal(err)
			}
			log := filepath.Join(dir, "audit.jsonl")
			as := func(uid, gid int, args ...string) result {
				return callIn(t, uid, gid, f.dir, append(env, "XDG_STATE_HOME="+filepath.Join(f.dir, "of"+strconv.Itoa(uid))), append(append(args[:1:1], flag...), append([]string{"--log", log}, args[1:]...)...)...)
			}
			run := []string{"run", "--operation", "x", "--", "true"}
			for _, uid := range []int{stranger, stranger + 1, stranger} {
				if r := as(uid, admins, run...); r.code != 0 {
					t.Fatalf("uid %d: exit %d\n%s", uid, r.code, r.stderr)
				}
			}
			if r := as(stranger+2, stranger+2, run...); r.code != 6 {
				t.Errorf("an account outside of the group: exit %d\n%s", r.code, r.stderr)
			}
			if r := call(t, f.dir, env, append([]string{"record", "--log", log, "--operation", "x", "--outcome", "failed"}, flag...)...); r.code != 0 { // root
				t.Errorf("exit %d\n%s", r.code, r.stderr)
			}
			if r := as(stranger+1, admins, "reconcile"); r.code != 0 || !strings.Contains(r.stderr, "Nothing is unfinished") {
				t.Errorf("exit %d\n%s", r.code, r.stderr)
			}
			data, err := os.ReadFile(log)
			info, statErr := os.Stat(log)
			if err := errorsOf(err, statErr); err != nil || strings.Count(string(data), "\n") != 7 || info.Mode().Perm() != 0o660 {
				t.Errorf("%v, %v\n%s", err, info.Mode(), data)
			}
		})
	}
	f := settingsIn(t, t.TempDir())
	for word, says := range map[string]string{"nobody-knows-it": "there is no group", "0": "root's own", "root": "root's own", "-1": "root's own"} {
		refused(t, call(t, f.dir, nil, "audit", "--log-group="+word), says)
	}
}
