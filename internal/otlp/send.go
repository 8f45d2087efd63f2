package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/store"
	"github.com/contextcore/ccdestroy/internal/transport"
)

// patience is for one message: a receiver comes back in that time, or the next command
// tries again. Tests alone change it.
var patience = transport.Patience{Limit: 30 * time.Second, First: 100 * time.Millisecond, Longest: 5 * time.Second}

// Send is part of store.Sink. Lines count as sent when the receiver has answered that it
// has them. Without an answer they may be there all the same, and are sent again. A
// message that is too large is sent in halves, and an event that is too large without its
// body.
func (e *Endpoint) Send(ctx context.Context, lines []store.Line) (sent int, err error) {
	err = e.export(ctx, lines, true)
	switch {
	case err == nil:
		return len(lines), nil
	case !isUnfit(err):
		return 0, err
	case len(lines) == 1:
		return e.short(ctx, lines)
	}
	half := len(lines) / 2
	if sent, err = e.Send(ctx, lines[:half]); err != nil {
		return sent, err
	}
	rest, err := e.Send(ctx, lines[half:])
	return sent + rest, err
}

// short sends one event without its body.
func (e *Endpoint) short(ctx context.Context, one []store.Line) (sent int, err error) {
	what := fmt.Sprintf("event %d of log %s", one[0].Event.Seq, one[0].Event.Log)
	if err := e.export(ctx, one, false); err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	e.note(fmt.Sprintf("%s took %s without its body, which it refuses", e.Name(), what))
	return 1, nil
}

// Probe finds out whether the receiver answers, with a message without a record.
func (e *Endpoint) Probe(ctx context.Context) error { return e.export(ctx, nil, true) }

// export posts one message until it is answered for good, or the time is up.
func (e *Endpoint) export(ctx context.Context, lines []store.Line, bodies bool) error {
	body := e.pack(requestOf(lines, bodies, time.Now()).encode())
	return patience.Try(ctx, func(ctx context.Context) error {
		partial, err := e.post(ctx, body)
		if err == nil && partial != "" {
			e.note(fmt.Sprintf("%s: of %d records: %s", e.Name(), len(lines), partial))
		}
		return err
	}, passing)
}

// post does it once. partial is what the receiver says of records that it did not
// take.
func (e *Endpoint) post(ctx context.Context, body []byte) (partial string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url.String(), bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	for name, values := range e.headers {
		r.Header[name] = values
	}
	r.Header.Set("User-Agent", "ccdestroy")
	r.Header.Set("Content-Type", "application/json")
	if !e.plain {
		r.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := e.client.Do(r)
	if err != nil {
		err = transport.Cause(err) // of an answer that is no HTTP it quotes a line
		return "", &shownError{e.shown(err.Error()), err}
	}
	defer resp.Body.Close()
	partial, err = answered(resp)
	var no *refusal
	if errors.As(err, &no) {
		no.text = e.shown(no.text)
	}
	return e.shown(partial), err
}

// shownError is an error in other words.
type shownError struct {
	text string
	err  error
}

func (e *shownError) Error() string { return e.text }
func (e *shownError) Unwrap() error { return e.err }

// shown is what a receiver says as far as it is shown. Secrets go first: of one that
// is cut through, a part would stay.
func (e *Endpoint) shown(text string) string {
	return transport.Clip(e.hide(text), textLength)
}

// hide takes the headers' values out of what a receiver says: some quote a token that
// they do not know.
func (e *Endpoint) hide(text string) string {
	for _, values := range e.headers {
		for _, value := range values {
			for _, secret := range append(strings.Fields(value), value) {
				if len(secret) >= shortestSecret {
					text = strings.ReplaceAll(text, secret, "***")
				}
			}
		}
	}
	return text
}

// shortestSecret is how long a word must be to be one: shorter ones are in any text.
const shortestSecret = 8

func (e *Endpoint) pack(data []byte) []byte {
	if e.plain {
		return data
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(data)
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err) // a buffer takes all
	}
	return out.Bytes()
}

func (e *Endpoint) note(text string) {
	if e.Note != nil {
		e.Note(text)
	}
}
