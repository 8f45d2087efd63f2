package guard

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// To find out whether an engine asks, the engine is asked for a volume that does not
// exist, and the guard whether it has heard of that. What the engine says about
// itself is no help: older ones report what they were started with.

const (
	probePath   = "/Guard.Probe"
	probePrefix = "ccdestroy-probe-"
	probesKept  = 32
)

// probes are the newest names that the engine was asked for.
type probes struct {
	mu    sync.Mutex // guards names
	names []string
}

func (p *probes) note(uri string) {
	if !strings.Contains(uri, probePrefix) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.names = append(p.names, path.Base(uri))
	p.names = p.names[max(0, len(p.names)-probesKept):]
}

type probe struct {
	Name string
	Seen bool
}

func (p *probes) seen(body io.Reader) (asked probe) {
	_ = json.NewDecoder(io.LimitReader(body, 1<<10)).Decode(&asked) // no name, so nothing was heard
	p.mu.Lock()
	defer p.mu.Unlock()
	asked.Seen = slices.Contains(p.names, asked.Name)
	return asked
}

// Probed is the engine, as far as it is asked for a volume.
type Probed interface {
	Volume(ctx context.Context, name string) (v inventory.Volume, found bool, err error)
}

// errSilent is why it cannot be told whether an engine that has answered asks.
var errSilent = errors.New("the guard does not answer")

// asks reports whether the engine asks the guard at a socket.
func asks(ctx context.Context, e Probed, socket string) (bool, error) {
	p := probe{Name: probePrefix + strings.ToLower(rand.Text())}
	if _, _, err := e.Volume(ctx, p.Name); err != nil {
		return false, err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return false, err
	}
	r, err := client(socket).Post("http://guard"+probePath, contentType, bytes.NewReader(text))
	if err != nil {
		return false, fmt.Errorf("%w: %w", errSilent, err)
	}
	defer r.Body.Close()
	err = json.NewDecoder(r.Body).Decode(&p)
	return p.Seen, err
}
