package audit

import (
	"errors"
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
