package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/fault"
)

// Keys that add up over all places.
const (
	protectKey = "protect" // patterns of volumes
	reasonKey  = "reason"  // in a file: required
	enforceKey = "enforce" // of the machine's file
	keepKey    = "keep-for"
	agentsKey  = "agents"
)

// required is the one value of reason in a file.
const required = "required"

// projectKeys are what a project's file may set: what tightens rules, and formats.
// A check returns the value that counts.
var projectKeys = map[string]func(f *settingsFile, value any) (any, error){
	agentsKey: holdingBack, "color": asItIs, "export": inside, "format": asItIs, keepKey: length, protectKey: asItIs, "prompt-timeout": asItIs, reasonKey: asItIs, "timeout": asItIs,
}

// enforceable are the keys that the machine's file may enforce, each with what
// the command line must not do to its value.
var enforceable = map[string]func(p Process, enforced, given string) bool{
	agentsKey: looser, "export": elsewhere, keepKey: shorter, "log": elsewhere, "otlp": another, "otlp-headers-file": elsewhere, protectKey: nil, reasonKey: nil, "store": another, "store-mode": another,
}

// may says why a key may not be in a file, or nil.
func (f *settingsFile) may(key string, known []string, user string) error {
	switch {
	case key == enforceKey:
		if f.who != ofMachine {
			return fault.Usage("remove the line", "%q may stand in %s alone", key, machineSettings)
		}
	case !slices.Contains(known, key):
		return fmt.Errorf("unknown key %q", key)
	case f.who == ofProject && projectKeys[key] == nil:
		return fault.Usage("remove the line, or move it to "+user, "a project may not set %q: it may stand in %s", key, user)
	}
	return nil
}

// mayEnforce is may, below enforce.
func mayEnforce(key string, known []string) error {
	if _, ok := enforceable[key]; !ok || !slices.Contains(known, key) {
		return fmt.Errorf("%q cannot be enforced, only %s", key, strings.Join(slices.Sorted(maps.Keys(enforceable)), ", "))
	}
	return nil
}

func asItIs(_ *settingsFile, value any) (any, error) { return value, nil }

// elsewhere reports whether the command line names another path. A link to the
// same file counts as another one: its locks are elsewhere.
func elsewhere(p Process, enforced, given string) bool {
	return given == "" || filepath.Clean(p.abs(given)) != filepath.Clean(enforced)
}

// another reports whether the command line gives another value.
func another(_ Process, enforced, given string) bool { return given != enforced }

// shorter reports whether the command line keeps volumes for less time.
func shorter(_ Process, enforced, given string) bool {
	least, err := parseKeepTime(enforced)
	asked, wrong := parseKeepTime(given)
	return err != nil || wrong != nil || asked < least
}

// length is a length of time.
func length(_ *settingsFile, value any) (any, error) {
	_, err := parseKeepTime(fmt.Sprint(value))
	return value, err
}

// projectKeeps is for how long the project's file wants volumes kept, or 0. It
// makes any other setting longer, and none shorter.
func (s *settings) projectKeeps() (d keepTime) {
	for _, f := range s.files {
		if one, set := f.keys[keepKey]; set && f.who == ofProject {
			d, _ = parseKeepTime(fmt.Sprint(one.value)) // length has checked it
		}
	}
	return d
}

// keeps is for how long volumes are kept by settings other than the project's, and
// at least as long as that wants; "" where it alone says anything.
func (s *settings) keeps() string {
	if text, set := s.p.lookup(variable(keepKey)); set && !s.enforces(keepKey) {
		return text
	}
	for _, one := range s.all(keepKey) {
		if slices.ContainsFunc(s.files, func(f *settingsFile) bool { return f.who == ofProject && f.keys[keepKey].from == one.from }) {
			continue
		}
		text := fmt.Sprint(one.value)
		if d, err := parseKeepTime(text); err == nil && d < s.projectKeeps() {
			return time.Duration(s.projectKeeps()).String()
		}
		return text
	}
	return ""
}

// inside is a path below the directory of the project's file. Links are resolved,
// so that none leads out of it later.
func inside(f *settingsFile, value any) (any, error) {
	text, ok := value.(string)
	if !ok {
		return nil, errors.New("expected one path")
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(f.path))
	if err != nil {
		return nil, err
	}
	path := text
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if path, err = resolved(path); err != nil {
		return nil, err
	}
	if below, err := filepath.Rel(dir, path); err != nil || !filepath.IsLocal(below) {
		return nil, fmt.Errorf("%q leads out of the project directory %s", text, dir)
	}
	return path, nil
}

// resolved follows the links of a path as far as it exists.
func resolved(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	if _, err := os.Lstat(path); err == nil {
		return "", fmt.Errorf("%q is a link to nothing", path)
	}
	above, err := resolved(filepath.Dir(path))
	return filepath.Join(above, filepath.Base(path)), err
}
