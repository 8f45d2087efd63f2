package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"go.yaml.in/yaml/v4"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// settingsName is the project's file of settings, looked for upward from the
// working directory.
const settingsName = ".ccdestroy.yaml"

// machineSettings is the machine's. Windows has none: there every account may make
// such a file. Tests alone change it.
var machineSettings = "/etc/ccdestroy/config.yaml"

// settingsLimit is how large a file may be.
const settingsLimit = 64 << 10

// Who owns a settings file.
const (
	ofUser    = "user"
	ofMachine = "machine"
	ofProject = "project"
)

// settingsFile is one file of KEY: VALUE lines. The keys are the long names of
// flags.
type settingsFile struct {
	who      string
	path     string // "" if there is no place for one
	there    bool
	keys     map[string]setting
	enforced map[string]setting
}

// read reads all files. Nothing of a file that cannot be obeyed counts.
func (s *settings) read() {
	home := s.p.xdg("XDG_CONFIG_HOME", ".config")
	if home != "" {
		home = filepath.Join(home, "config.yaml")
	}
	s.files = []*settingsFile{{who: ofUser, path: home}, {who: ofMachine, path: machineSettings}, {who: ofProject, path: s.nearest()}}
	if runtime.GOOS == "windows" {
		s.files[1].path = ""
	}
	for _, f := range s.files {
		if f.path == "" {
			continue
		}
		err := s.readFile(f)
		if f.who == ofProject && errors.Is(err, errStray) {
			s.stray = err
		} else if err != nil {
			f.keys, f.enforced = nil, nil
			s.wrong = err
			return
		}
	}
}

// nearest is the project's file, "" when there is none. A directory that cannot
// be looked into might hold one: reading will tell.
func (s *settings) nearest() string {
	for dir := s.p.Dir; dir != ""; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, settingsName)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
		if filepath.Dir(dir) == dir {
			break
		}
	}
	return ""
}

// errStray is the error about a file of an account that has no say.
var errStray = errors.New("it belongs to another account, so it is not obeyed")

// readFile reads one file, where it is there.
func (s *settings) readFile(f *settingsFile) error {
	data, err := f.open(s.p)
	var doc *yaml.Node
	if err == nil {
		doc, err = parse(data)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.path, err)
	} else if doc != nil {
		err = f.take(doc, s)
	}
	if err == nil {
		return nil
	}
	try := cmp.Or(fault.AsFault(err).Try, "fix "+f.path+"; ccdestroy --help lists the flags, which are its keys")
	return &fault.Fault{Err: err, Try: try, Code: fault.ExitUsage}
}

// open checks who owns the file, and returns what it holds; nil if there
// is nothing to obey.
func (f *settingsFile) open(p Process) (data []byte, err error) {
	look := os.Stat
	if f.who == ofProject {
		look = os.Lstat // a link might lead to another project's
	}
	info, err := look(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, durable.Cause(err)
	}
	f.there = true
	if err := f.owner(p, info); err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil, errors.New("it is a symbolic link")
	}
	file, err := durable.OpenRead(f.path)
	if err != nil {
		return nil, errors.Unwrap(err) // without the path
	}
	defer file.Close()
	if opened, err := file.Stat(); err != nil || !os.SameFile(opened, info) {
		return nil, errors.New("it was replaced while it was being opened")
	}
	data, err = io.ReadAll(io.LimitReader(file, settingsLimit+1))
	switch {
	case err != nil:
		return nil, durable.Cause(err)
	case len(data) > settingsLimit:
		return nil, fmt.Errorf("it is larger than %d KiB", settingsLimit>>10)
	}
	return data, nil
}

// owner refuses a file of an account that has no say. Only root's own file says
// what the machine enforces; and a file that others can write could be anyone's.
func (f *settingsFile) owner(p Process, info fs.FileInfo) error {
	owner, trusted := p.trusts(info)
	others := info.Mode().Perm()&0o022 != 0 && runtime.GOOS != "windows"
	switch {
	case f.who == ofMachine && owner != 0:
		return fault.Usage(fault.Command("chown", "root", f.path), "it does not belong to root, but to uid %d", owner)
	case !trusted:
		try := fmt.Sprintf("read it, and when it is right: chown %d %s", os.Geteuid(), f.path)
		if f.who == ofProject && filepath.Dir(f.path) != filepath.Clean(p.Dir) {
			try = "touch " + filepath.Join(p.Dir, settingsName) + "   # one of your own, which comes first"
		}
		return fault.Usage(try, "%w (uid %d)", errStray, owner)
	case f.who != ofProject && others:
		return fault.Usage(fault.Command("chmod", "go-w", f.path), "other accounts can write it")
	}
	return nil
}
