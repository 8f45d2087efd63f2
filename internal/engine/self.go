package engine

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// selfImage holds this very executable, by its hash.
const selfImage = "ccdestroy-self:"

// SelfDir is where a Self has the directory of the engine's host.
const SelfDir = "/docker"

// Self runs this program in a short-lived container on the engine, as root there.
type Self struct {
	Name string   // of the container
	Args []string // behind the program's name

	client *Client
	lock   string // path of the lock that is held for as long as it is needed
	dir    string // of the engine's host
}

// Self prepares a call for the operation whose lock is at a path, on a directory of
// the engine's host. The error is ErrNotStatic where this program cannot run
// there.
func (c *Client) Self(lock, dir string) (Self, error) {
	_, err := executable()
	return Self{client: c, lock: lock, dir: dir}, err
}

// Call gives the program a request as JSON on standard input, and reads its
// answer as JSON.
func (s Self) Call(ctx context.Context, request, answer any) (err error) {
	file, err := executable()
	if err != nil {
		return err
	}
	c := s.client
	if err := c.ready(ctx); err != nil {
		return err
	}
	img := localImage{tag: selfImage + hexSum(file.data)[:16], made: file.made, file: file.data, arch: runtime.GOARCH}
	if err := c.load(ctx, img); err != nil {
		return fmt.Errorf("helper image: %w", err)
	}
	input, err := json.Marshal(request)
	if err != nil {
		return err
	}
	made, err := c.api.ContainerCreate(ctx, &container.Config{
		Image: img.tag, Cmd: append([]string{"/ccdestroy"}, s.Args...), User: "0:0", OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
		Labels: map[string]string{inventory.LabelHelper: "true", inventory.LabelHelperLock: s.lock},
	}, s.host(), nil, nil, s.Name)
	if err != nil {
		return fmt.Errorf("helper container: %w", err)
	}
	defer func() {
		err = errors.Join(err, removeContainer(context.WithoutCancel(ctx), c.api, made.ID))
	}()
	output, err := s.run(ctx, made.ID, input)
	if err != nil {
		return fmt.Errorf("helper container: %w", err)
	}
	if err := json.Unmarshal(output, answer); err != nil {
		return fmt.Errorf("helper container answered %.200q: %w", output, err)
	}
	return nil
}

// host is as little as moving directories takes.
func (s Self) host() *container.HostConfig {
	return &container.HostConfig{
		NetworkMode: "none", ReadonlyRootfs: true, UsernsMode: "host", SecurityOpt: []string{"label=disable", "no-new-privileges"},
		CapDrop: []string{"ALL"}, CapAdd: []string{"DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "CHOWN"},
		Mounts: []mount.Mount{{Type: mount.TypeBind, Source: s.dir, Target: SelfDir, BindOptions: &mount.BindOptions{Propagation: mount.PropagationRSlave}}},
	}
}

// answerLimit is how much a helper may answer.
const answerLimit = 64 << 20

func (s Self) run(ctx context.Context, id string, input []byte) ([]byte, error) {
	api := s.client.api
	stream, err := api.ContainerAttach(ctx, id, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, stream.Close)()
	exited, failed := api.ContainerWait(ctx, id, container.WaitConditionNextExit)
	if err := api.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return nil, err
	}
	go func() {
		_, _ = stream.Conn.Write(input) // one that ended before says why
		_ = stream.CloseWrite()
	}()
	var out, errs bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &errs, io.LimitReader(stream.Reader, answerLimit)); err != nil {
		return nil, err
	}
	select {
	case end := <-exited:
		if end.StatusCode != 0 {
			return nil, fmt.Errorf("exit %d: %.2000s", end.StatusCode, errs.String())
		}
	case err := <-failed:
		return nil, err
	}
	return out.Bytes(), nil
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
