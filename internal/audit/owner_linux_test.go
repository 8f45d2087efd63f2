package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// The account whose directories the tests of sudo use, another of the same
// group, and that group; none needs to exist.
const ana, bob, admins = 4711, 4712, 4713

// belonging makes a directory that everybody may pass through, with one of this
// account's in it, as a home or a project.
func belonging(t *testing.T, uid int) (dir string) {
	t.Helper()
	need.Root(t)
	base := short(t)
	dir = filepath.Join(base, "home")
	for _, err := range []error{os.Chmod(base, 0o755), os.Mkdir(dir, 0o755), os.Chown(dir, uid, uid)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// appendAs lets another account append, and returns what was recorded and what
// was not.
func appendAs(t *testing.T, uid int, l *Log, id string, env ...string) (ids, errs []string) {
	t.Helper()
	if l.Heads != nil {
		env = append(env, "APPEND_HEADS="+l.Heads.Dir)
	}
	cmd := appender(l.Path, id, 1, env...)
	cmd.Path = "/proc/self/exe" // whose directory others may not pass through
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid), Groups: []uint32{admins}}}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return acked(string(out))
}

// owners lists what lies in a directory by its owner.
func owners(t *testing.T, dir string) map[int][]string {
	t.Helper()
	all := map[int][]string{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err == nil {
			uid := int(info.Sys().(*syscall.Stat_t).Uid)
			all[uid] = append(all[uid], strings.TrimPrefix(path, dir))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// After a run with sudo the user goes on without.
func TestSudoLeavesNothingBehind(t *testing.T) {
	for name, path := range map[string]string{"in a project": DefaultPath, "elsewhere": "logs/of/mine/audit.jsonl"} {
		t.Run(name, func(t *testing.T) {
			home := belonging(t, ana)
			l := &Log{Path: filepath.Join(home, path), Heads: &Heads{Dir: filepath.Join(home, ".local/state/ccdestroy/heads")}}
			add(t, l, event("ROOT", Success))
			if of := owners(t, home); len(of) != 1 || len(of[ana]) < 9 {
				t.Errorf("%v", of)
			}
			if ids, errs := appendAs(t, ana, l, "ANA"); len(ids) != 1 || len(errs) != 0 {
				t.Errorf("recorded %q, errors %q", ids, errs)
			}
			add(t, l, event("AGAIN", Success))
			if of := owners(t, home); len(of) != 1 {
				t.Errorf("%v", of)
			}
			if r, err := l.Verify(nil); err != nil || !r.Intact() || r.Events != 3 || len(r.Heads) != 3 {
				t.Errorf("%q %v", brief(r), err)
			}
			if ids, errs := appendAs(t, bob, l, "BOB"); len(ids) != 0 || len(errs) != 1 {
				t.Errorf("another account: recorded %q, errors %q", ids, errs)
			}
		})
	}
}

// Root gives away nothing that it has not just made.
func TestSudoGivesNothingAway(t *testing.T) {
	home := belonging(t, ana)
	l := &Log{Path: filepath.Join(home, DefaultPath)}
	if err := os.Mkdir(filepath.Dir(l.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, l.Path, nil)
	add(t, l, event("ROOT", Success))
	of := owners(t, home)
	if len(of[0]) != 2 || of[0][0] != "/.contextcore" || of[0][1] != "/"+DefaultPath || len(of[ana]) != 2 {
		t.Errorf("%v", of)
	}
}

// mode is the mode and the group of a file.
func mode(t *testing.T, path string) (bits os.FileMode, group int) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode() & (os.ModePerm | os.ModeSetgid), int(info.Sys().(*syscall.Stat_t).Gid)
}

// Members of a group write to one log in turn, whoever makes it, and nobody else
// does. A log that was made for one account is shared by its owner.
func TestLogOfAGroup(t *testing.T) {
	group := fmt.Sprint("APPEND_GROUP=", admins)
	for name, first := range map[string]func(t *testing.T, l *Log){
		"made by a member":  func(t *testing.T, l *Log) {},
		"made by root":      func(t *testing.T, l *Log) { add(t, &Log{Path: l.Path, Group: admins}, event("ROOT", Success)) },
		"not shared before": func(t *testing.T, l *Log) { appendAs(t, ana, l, "ALONE") },
	} {
		t.Run(name, func(t *testing.T) {
			home := belonging(t, ana)
			l := &Log{Path: filepath.Join(home, DefaultPath)}
			first(t, l)
			for i, uid := range []int{ana, bob, ana} {
				if ids, errs := appendAs(t, uid, l, fmt.Sprint("X", i), group); len(ids) != 1 {
					t.Errorf("member %d: %q", uid, errs)
				}
			}
			for path, want := range map[string]os.FileMode{l.Path: 0o660, l.Path + ".lock": 0o660, filepath.Dir(l.Path): 0o770 | os.ModeSetgid} {
				if got, gid := mode(t, path); got != want || gid != admins {
					t.Errorf("%s: %v of group %d", path, got, gid)
				}
			}
			if r, err := l.Verify(nil); err != nil || !r.Intact() || r.Events < 3 {
				t.Errorf("%q %v", brief(r), err)
			}
			if ids, errs := appendAs(t, bob, l, "Y"); len(ids) != 0 {
				t.Errorf("without the setting, another's log is trusted: %q", errs)
			}
			if err := os.Chmod(l.Path, 0o666); err != nil {
				t.Fatal(err)
			}
			if ids, errs := appendAs(t, bob, l, "Z", group); len(ids) != 0 {
				t.Errorf("a log that all can write is trusted: %q", errs)
			}
		})
	}
}

// Who is no member of the group cannot give it a log, and is told so.
func TestLogOfAForeignGroup(t *testing.T) {
	l := &Log{Path: filepath.Join(belonging(t, ana), DefaultPath)}
	if ids, errs := appendAs(t, ana, l, "X", "APPEND_GROUP=4799"); len(ids) != 0 || !strings.Contains(errs[0], "4799") {
		t.Errorf("recorded %q, errors %q", ids, errs)
	}
}
