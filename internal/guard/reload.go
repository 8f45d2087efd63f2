package guard

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/actor"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// reloadLimit is how long the engine may take to read its configuration.
const reloadLimit = time.Minute

// tryLimit is how long one call may take that finds out whether it has: an engine waits for
// half a minute for a guard that it asks and that is dead, and goes on doing so in a call
// that began before it read its configuration. Any call takes 15 seconds if another plugin was
// killed and has left its socket. Only tests change it.
var tryLimit = 20 * time.Second

// pid is the engine's process. It is looked for before anything is changed: if it is
// not found, the files may be those of another engine.
func (s Setup) pid() (int, error) {
	text, err := os.ReadFile(s.PIDFile)
	if err == nil {
		pid, wrong := strconv.Atoi(strings.TrimSpace(string(text)))
		if wrong == nil && pid > 1 && actor.Runs(pid) {
			return pid, nil
		}
		err = fmt.Errorf("%s: no engine runs as %q", s.PIDFile, strings.TrimSpace(string(text)))
	}
	return 0, &fault.Fault{Err: fmt.Errorf("cannot find the engine's process, so nothing was changed: %w", err), Try: "--pid-file FILE, and --daemon-json FILE if its configuration is elsewhere", Code: fault.ExitFailed}
}

// reload makes the engine read its configuration again, and waits until it asks, or
// does not.
func (s Setup) reload(ctx context.Context, pid int, wanted bool) error {
	if err := hangUp(pid); err != nil {
		return notReloaded(err)
	}
	ctx, cancel := context.WithTimeout(ctx, reloadLimit)
	defer cancel()
	for {
		err := s.check(ctx, wanted)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return notReloaded(err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// check says why it is not so that the engine asks, or does not. An engine that answers
// while no guard does, before and after, asks none: it would have refused.
func (s Setup) check(ctx context.Context, wanted bool) error {
	dead := !wanted && !answers(s.Socket)
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	asked, err := asks(ctx, s.Engine, s.Socket)
	switch {
	case dead && errors.Is(err, errSilent):
		return nil
	case err == nil && asked != wanted:
		return errors.New("it does not say so yet")
	}
	return err
}

func notReloaded(err error) error {
	return &fault.Fault{Err: fmt.Errorf("the engine has not read its configuration again: %w", err), Try: "systemctl reload docker; ccdestroy guard status", Code: fault.ExitFailed}
}
