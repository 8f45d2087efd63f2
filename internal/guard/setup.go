package guard

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// Agree shows a change and asks for it. An error means that it must not be made.
type Agree func(ctx context.Context, change string) error

// Setup connects the guard to an engine, and disconnects it again.
type Setup struct {
	Socket     string
	DaemonJSON string   // the engine's configuration
	PIDFile    string   // the engine's process id
	Units      string   // directory of systemd's units; "" leaves systemd alone
	Flags      []string // of the guard that systemd runs, beside --socket
	Engine     Probed
	Note       func(string)
}

// Install makes the engine ask the guard. The guard must answer before the engine is
// told: an engine that asks one that does not answer refuses every call.
//
// A crash before the engine's configuration is replaced leaves a guard that nobody
// asks; after it, one that the engine asks from its next start on.
func (s Setup) Install(ctx context.Context, agree Agree) error {
	pid, err := s.pid()
	if err != nil {
		return err
	}
	all, plugins, err := s.read()
	if err != nil {
		return err
	}
	if !slices.Contains(plugins, Name) {
		plugins = append(plugins, Name) // the last one: another one that refuses must do so first
	}
	text, err := withPlugins(all, plugins)
	if err != nil {
		return err
	}
	change := fmt.Sprintf("%s: %q: [\"%s\"]\nThen the engine is told to read it again (SIGHUP); nothing restarts.", s.DaemonJSON, pluginsKey, strings.Join(plugins, `", "`))
	if s.Units != "" {
		change = "Units for systemd: " + strings.Join(s.unitPaths(), ", ") + "\n" + change
	}
	if err := agree(ctx, change); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	if !answers(s.Socket) {
		return &fault.Fault{Err: fmt.Errorf("no guard answers at %s, so the engine was not told", s.Socket), Try: "journalctl -u ccdestroy-guard; or: ccdestroy guard", Code: fault.ExitFailed}
	}
	if err := s.replace(text); err != nil {
		return err
	}
	if err := s.reload(ctx, pid, true); err != nil {
		return err
	}
	s.Note("the engine is guarded")
	return nil
}

// Uninstall makes the engine stop asking it. A reload does not undo a key that
// is gone from the configuration, so the list is first emptied and then removed.
func (s Setup) Uninstall(ctx context.Context, agree Agree) error {
	pid, err := s.pid()
	if err != nil {
		return err
	}
	all, plugins, err := s.read()
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(slices.Clone(plugins), func(p string) bool { return p == Name })
	change := s.DaemonJSON + ": without " + Name + " among its " + pluginsKey
	if s.Units != "" {
		change += "\nUnits of systemd that are removed: " + strings.Join(s.unitPaths(), ", ")
	}
	if err := agree(ctx, change); err != nil {
		return err
	}
	text, err := withPlugins(all, append([]string{}, others...))
	if err != nil {
		return err
	}
	if err := s.replace(text); err != nil {
		return err
	}
	left := s.removeSocket() // of a guard that is dead; else finding out what the engine does takes long
	if err := s.reload(ctx, pid, false); err != nil {
		return err
	}
	if len(others) == 0 {
		if text, err = withPlugins(all, nil); err == nil {
			err = s.replace(text)
		}
	}
	if err = errors.Join(err, left, s.stop(ctx), s.removeSocket()); err != nil {
		return err
	}
	s.Note("the engine is guarded no more")
	return nil
}

// removeSocket removes the socket if nobody listens at it: the engine would wait for it at
// every list of volumes.
func (s Setup) removeSocket() error {
	if abandoned(s.Socket) {
		return os.Remove(s.Socket)
	}
	return nil
}

// Line is one thing that must hold.
type Line struct {
	Well bool
	Text string
}

// Status says which of them hold.
func (s Setup) Status(ctx context.Context) (lines []Line) {
	add := func(well bool, good, bad string) {
		text := good
		if !well {
			text = bad
		}
		lines = append(lines, Line{well, text})
	}
	add(answers(s.Socket), "the guard answers at "+s.Socket, "no guard answers at "+s.Socket)
	_, plugins, err := s.read()
	add(err == nil && slices.Contains(plugins, Name), s.DaemonJSON+" names it", s.DaemonJSON+" does not name it")
	asked, err := asks(ctx, s.Engine, s.Socket)
	not := "the engine does not ask it"
	if err != nil {
		not = "unknown whether the engine asks it"
	}
	add(err == nil && asked, "the engine asks it", not)
	return lines
}

func (s Setup) read() (all []setting, plugins []string, err error) {
	text, err := os.ReadFile(s.DaemonJSON)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	if all, err = settingsOf(text); err == nil {
		plugins, _, err = pluginsIn(all)
	}
	if err != nil {
		return nil, nil, &fault.Fault{Err: fmt.Errorf("%s: %w", s.DaemonJSON, err), Try: fault.Command("dockerd", "--validate", "--config-file", s.DaemonJSON), Code: fault.ExitFailed}
	}
	return all, plugins, nil
}

// replace replaces the engine's configuration in one step.
func (s Setup) replace(text []byte) error {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(s.DaemonJSON); err == nil {
		mode = info.Mode().Perm()
	}
	if err := durable.MkdirAll(filepath.Dir(s.DaemonJSON), 0o755); err != nil {
		return err
	}
	return durable.ReplaceFile(s.DaemonJSON, text, mode)
}
