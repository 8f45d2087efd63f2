package store

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/contextcore/ccdestroy/internal/transport"
)

// serverError is what a server answered.
type serverError struct {
	code   string // as S3 names it, SlowDown …
	status int
	text   string
}

func (e *serverError) Error() string {
	if e.text == "" || e.text == e.code {
		return cmp.Or(e.code, http.StatusText(e.status))
	}
	return e.code + ": " + strings.TrimSuffix(e.text, ".")
}

// told is an error of the client in our words. what is the call: put, get or list.
func (s *S3) told(what string, err error) error {
	if err == nil {
		return nil
	}
	answer := minio.ToErrorResponse(err)
	if answer.StatusCode == 0 {
		return fmt.Errorf("%s %s: %w", what, s.Address, transport.Cause(err))
	}
	kind := error(&serverError{transport.Clip(answer.Code, textLength), answer.StatusCode, transport.Clip(answer.Message, textLength)})
	switch {
	case answer.StatusCode == http.StatusPreconditionFailed && what == "put":
		kind = ErrExists
	case answer.StatusCode == http.StatusNotFound && answer.Code == minio.NoSuchKey, answer.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		kind = ErrNotThere
	case answer.StatusCode == http.StatusForbidden && answer.Code == minio.AccessDenied:
		kind = ErrDenied
	}
	return fmt.Errorf("%s %s: %w", what, s.Address, kind)
}

// textLength is how much of what a server says is shown.
const textLength = 300

// attempt does a call until it succeeds, ctx or the patience ends, or another attempt
// cannot help. The call takes ctx itself: of an object that it opens, the rest is read
// when the attempt is over.
func attempt(ctx context.Context, call func() error) error {
	return patience.Try(ctx, func(context.Context) error { return call() }, func(err error) (bool, time.Duration) { return passing(err), 0 })
}

// patience is for one call: a server comes back in that time, or another stands in for it.
var patience = transport.Patience{Limit: 30 * time.Second, First: firstWait, Longest: 2 * time.Second}

// firstWait is how long to wait before something is tried again.
const firstWait = 100 * time.Millisecond

// passing reports whether an error may be another one, or none, at the next try:
// the server said so, or it was not reached, or its answer was lost.
func passing(err error) bool {
	var answer *serverError
	var cert *tls.CertificateVerificationError
	var own *credentialsError
	var network net.Error
	switch {
	case errors.As(err, &own) && !errors.As(err, &network):
		return false
	case errors.Is(err, ErrExists), errors.Is(err, ErrNotThere), errors.Is(err, ErrDenied), errors.Is(err, errNoCredentials), errors.Is(err, errLoop):
		return false
	case errors.As(err, &cert):
		return false
	case errors.As(err, &answer):
		// 409: another write of this key is under way.
		return answer.status >= 500 && answer.status != http.StatusNotImplemented || answer.status == http.StatusConflict || answer.status == http.StatusTooManyRequests || answer.status == http.StatusRequestTimeout
	}
	return true
}
