package engine

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// selfImage holds this very executable, by its hash.
const selfImage = "ccdestroy-self:"

// SelfDir is where a Self has the directory of the engine's host.
const SelfDir = "/docker"

// Self runs this program in a short-lived container on the engine, as root there.
// It is started by the first call and serves all of one operation; closing the
// client ends it.
type Self struct {
	Name string   // of the container
	Args []string // behind the program's name

	client *Client
	lock   string // path of the lock that is held for as long as it is needed
	dir    string // of the engine's host
}

// Self prepares calls for the operation whose lock is at a path, on a directory of
// the engine's host. The error is ErrNotStatic where this program cannot run
// there.
func (c *Client) Self(lock, dir string) (Self, error) {
	_, err := executable()
	return Self{client: c, lock: lock, dir: dir}, err
}

// Call gives the program a request as JSON on standard input, and reads its
// answer as JSON. After an error the container is gone, and the next call starts
// another one.
func (s Self) Call(ctx context.Context, request, answer any) error {
	c := s.client
	c.calling.Lock()
	defer c.calling.Unlock()
	if c.session != nil && (c.session.lock != s.lock || c.session.dir != s.dir) {
		_ = c.endSession(ctx) // of another operation
	}
	if c.session == nil {
		started, err := s.start(ctx)
		if err != nil {
			return fmt.Errorf("helper container: %w", err)
		}
		c.session = started
	}
	usable, err := c.session.exchange(ctx, request, answer)
	if !usable {
		_ = c.endSession(ctx) // a later run removes one that stays
	}
	if err != nil {
		return fmt.Errorf("helper container: %w", err)
	}
	return nil
}

// endSession removes the container. One that stays is swept away later.
func (c *Client) endSession(ctx context.Context) error {
	ending := c.session
	c.session = nil
	if ending == nil {
		return nil
	}
	return ending.end(ctx)
}

// host gives the container as little as moving directories takes.
func (s Self) host() *container.HostConfig {
	return &container.HostConfig{
		NetworkMode: "none", ReadonlyRootfs: true, UsernsMode: "host", SecurityOpt: []string{"label=disable", "no-new-privileges"},
		CapDrop: []string{"ALL"}, CapAdd: []string{"DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "CHOWN"},
		Mounts: []mount.Mount{{Type: mount.TypeBind, Source: s.dir, Target: SelfDir, BindOptions: &mount.BindOptions{Propagation: mount.PropagationRSlave}}},
	}
}

// ErrNotStatic says that this executable cannot run in a container of its own.
var ErrNotStatic = errors.New("this ccdestroy is not a static Linux program, and cannot be its own helper")

// program is an executable file.
type program struct {
	data []byte
	made time.Time
}

// executable is this program, as a container could run it.
func executable() (file program, err error) {
	path, err := os.Executable()
	if err != nil {
		return file, err
	}
	if file.data, err = os.ReadFile(path); err != nil {
		return file, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return file, err
	}
	file.made = info.ModTime()
	format, err := elf.NewFile(bytes.NewReader(file.data))
	if runtime.GOOS != "linux" || err != nil || slices.ContainsFunc(format.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return file, ErrNotStatic
	}
	return file, nil
}
