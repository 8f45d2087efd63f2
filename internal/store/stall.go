package store

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// errStalled says that an answer began and did not go on.
var errStalled = errors.New("the server stopped in the middle of its answer")

// stalls gives an answer up when nothing more of it comes for answerLimit: a scheduled
// job must not wait for ever. How long all of it takes is not limited.
type stalls struct{ http.RoundTripper }

// RoundTrip watches over the body of the answer.
func (s stalls) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	resp, err := s.RoundTripper.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return resp, err
	}
	resp.Body = &watched{resp.Body, ctx, cancel}
	return resp, nil
}

type watched struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Read reads while something comes.
func (w *watched) Read(p []byte) (int, error) {
	timer := time.AfterFunc(answerLimit, func() { w.cancel(errStalled) })
	n, err := w.ReadCloser.Read(p)
	timer.Stop()
	if err != nil && errors.Is(context.Cause(w.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

// Close ends the request.
func (w *watched) Close() error {
	err := w.ReadCloser.Close()
	w.cancel(nil)
	return err
}
