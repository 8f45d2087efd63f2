package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
)

// session is a container in which this program answers one request after the
// other. When this process is killed its standard input ends, and so does it; the
// container that stays behind says in its labels whose it was.
type session struct {
	lock, dir string

	api     *client.Client
	id      string
	stream  types.HijackedResponse
	exited  <-chan container.WaitResponse
	failed  <-chan error
	answers *json.Decoder
	told    *bytes.Buffer // on standard error
	copied  chan struct{} // closed when its output has ended
}

// answerLimit is how much a helper may answer.
const answerLimit = 64 << 20

// start makes the container and attaches to it.
func (s Self) start(ctx context.Context) (*session, error) {
	c := s.client
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	file, err := executable()
	if err != nil {
		return nil, err
	}
	img := localImage{tag: selfImage + hexSum(file.data)[:16], made: file.made, file: file.data, arch: runtime.GOARCH}
	if err := c.load(ctx, img); err != nil {
		return nil, fmt.Errorf("its image: %w", err)
	}
	made, err := c.api.ContainerCreate(ctx, &container.Config{
		Image: img.tag, Cmd: append([]string{"/ccdestroy"}, s.Args...), User: "0:0", OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
		Labels: helperLabels(s.lock),
	}, s.host(), nil, nil, s.Name)
	if err != nil {
		return nil, err
	}
	out := &session{lock: s.lock, dir: s.dir, api: c.api, id: made.ID, told: &bytes.Buffer{}, copied: make(chan struct{})}
	if err := out.attach(ctx); err != nil {
		return nil, errors.Join(err, out.end(ctx))
	}
	return out, nil
}

func (s *session) attach(ctx context.Context) (err error) {
	if s.stream, err = s.api.ContainerAttach(ctx, s.id, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true}); err != nil {
		return err
	}
	// Waiting outlives the call that starts it.
	s.exited, s.failed = s.api.ContainerWait(context.WithoutCancel(ctx), s.id, container.WaitConditionNextExit)
	out, in := io.Pipe()
	s.answers = json.NewDecoder(out)
	go func() {
		defer close(s.copied)
		_, err := stdcopy.StdCopy(in, s.told, io.LimitReader(s.stream.Reader, answerLimit))
		_ = in.CloseWithError(err) // nil means that it has ended
	}()
	return s.api.ContainerStart(ctx, s.id, container.StartOptions{})
}

// exchange sends a request and waits for the answer. usable says whether another
// one can be sent.
func (s *session) exchange(ctx context.Context, request, answer any) (usable bool, err error) {
	going := context.AfterFunc(ctx, s.stream.Close)
	unsent := json.NewEncoder(s.stream.Conn).Encode(request)
	err = s.answers.Decode(answer)
	usable = going()
	switch {
	case err == nil:
		return usable, nil
	case !usable:
		return false, ctx.Err()
	case !errors.Is(err, io.EOF):
		return false, fmt.Errorf("its answer: %w", errors.Join(unsent, err))
	}
	return false, s.ended(ctx)
}

// ended is why the program has ended.
func (s *session) ended(ctx context.Context) error {
	<-s.copied
	select {
	case end := <-s.exited:
		return fmt.Errorf("exit %d: %.2000s", end.StatusCode, s.told)
	case err := <-s.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end removes the container, whatever it is doing.
func (s *session) end(ctx context.Context) error {
	if s.stream.Conn != nil {
		s.stream.Close()
	}
	return removeContainer(context.WithoutCancel(ctx), s.api, s.id)
}
