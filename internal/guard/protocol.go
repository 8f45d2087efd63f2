package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
)

// Request is what the engine says about a call.
type Request struct {
	User    string            // "" on a Unix socket, the certificate's name with TLS
	Auth    string            // how the engine knows the user
	Method  string            //
	URI     string            // as it came over the wire
	Headers map[string]string // the client's
	Sent    []byte            // the client's body, where that is JSON
	Status  int               // of the response; 0 also where the engine refused
	Body    []byte            // of the response, where that is JSON
}

// hides reports whether the call may have a body that is a form. The engine takes
// what that says before what the query says, and shows a plugin no bodies but JSON.
// Of several headers of a name it shows the last one and goes by the first one, so
// that the type shown is not relied on.
func (r Request) hides() bool {
	typed, empty := false, false
	for key, value := range r.Headers {
		typed = typed || strings.EqualFold(key, "Content-Type")
		empty = empty || strings.EqualFold(key, "Content-Length") && value == "0"
	}
	return typed && !empty && len(r.Sent) == 0
}

// readRequest reads what the engine says. For a harmless call the rest is
// not looked at: the body of a response can be large.
func readRequest(body io.Reader) (r Request, err error) {
	dec := json.NewDecoder(body)
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return r, fmt.Errorf("the engine's words are not understood: %w", errors.Join(err, errNoObject))
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return r, err
		}
		switch key {
		case "User":
			err = dec.Decode(&r.User)
		case "UserAuthNMethod":
			err = dec.Decode(&r.Auth)
		case "RequestMethod":
			err = dec.Decode(&r.Method)
		case "RequestUri":
			err = dec.Decode(&r.URI)
		case "RequestHeaders":
			err = dec.Decode(&r.Headers)
		case "RequestBody":
			err = dec.Decode(&r.Sent)
		case "ResponseBody":
			err = dec.Decode(&r.Body)
		case "ResponseStatusCode":
			err = dec.Decode(&r.Status)
		default:
			var skip json.RawMessage
			err = dec.Decode(&skip)
		}
		if err != nil {
			return r, err
		}
		if r.Method != "" && r.URI != "" && parse(r.Method, r.URI).kind == harmless {
			return r, nil
		}
	}
	if r.Method == "" || r.URI == "" {
		return r, errNoObject
	}
	return r, nil
}

var errNoObject = errors.New("no method and path")

// answer is the answer to the engine.
type answer struct {
	Allow bool   `json:"Allow"`
	Msg   string `json:"Msg,omitempty"`
	Err   string `json:"Err,omitempty"`
}

const contentType = "application/vnd.docker.plugins.v1.2+json"

// Handler answers the engine.
func (g *Guard) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /Plugin.Activate", func(w http.ResponseWriter, _ *http.Request) {
		g.engineBegins()
		reply(w, map[string][]string{"Implements": {"authz"}})
	})
	mux.HandleFunc("POST "+probePath, func(w http.ResponseWriter, r *http.Request) {
		reply(w, g.probes.seen(r.Body))
	})
	mux.HandleFunc("POST /AuthZPlugin.AuthZReq", func(w http.ResponseWriter, r *http.Request) {
		reply(w, g.answer(r, g.Before))
	})
	mux.HandleFunc("POST /AuthZPlugin.AuthZRes", func(w http.ResponseWriter, r *http.Request) {
		g.answer(r, func(ctx context.Context, req Request) error { g.After(ctx, req); return nil })
		reply(w, answer{Allow: true}) // it has happened
	})
	return mux
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", contentType)
	_ = json.NewEncoder(w).Encode(v) // the engine has gone away
}

// answer answers one question. If anything goes wrong, the answer is no; a call that is known
// to be harmless does not get that far.
func (g *Guard) answer(r *http.Request, do func(context.Context, Request) error) (a answer) {
	defer func() { _, _ = io.Copy(io.Discard, r.Body) }() // so that the connection can be used again
	defer func() {
		if p := recover(); p != nil {
			g.Note(fmt.Sprintf("guard: %v\n%s", p, debug.Stack()))
			a = answer{Msg: "the guard failed, so nothing was destroyed"}
		}
	}()
	req, err := readRequest(r.Body)
	if err != nil {
		return answer{Msg: err.Error()}
	}
	if parse(req.Method, req.URI).kind == harmless {
		g.probes.note(req.URI)
		return answer{Allow: true}
	}
	// The engine ends its request when the client goes away: the record goes on.
	if err := do(context.WithoutCancel(r.Context()), req); err != nil {
		return answer{Msg: err.Error()}
	}
	return answer{Allow: true}
}
