package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/contextcore/ccdestroy/internal/fault"
)

// minAPI is the API version of Engine 20.10, the oldest that is spoken to.
// stableCreatedAPI is that of Engine 23, from which on the CreatedAt of a local
// volume no longer moves with changes in the volume's root directory.
const (
	minAPI           = "1.41"
	stableCreatedAPI = "1.42"
)

// Client is a connection to one engine.
type Client struct {
	api     *client.Client
	host    string // without user info
	context string // docker context in use, or ""
	local   bool

	greeting sync.Mutex // guards what follows
	greeted  bool       // the API version is settled
	speaks   string     // the newest API of the engine; as podman
	podman   bool       // Podman answers; does not change once greeted

	clocked sync.Mutex // guards clock, said, saidAt
	clock   clock
	said    system.Info // what the engine said about itself, at saidAt
	saidAt  time.Time

	hearing sync.Mutex // guards heard
	heard   []heard    // recently, by watchers

	calling sync.Mutex // guards session
	session *session   // in which this program runs, or nil
}

// Connect finds the engine in the order of the Docker CLI: -H, --context,
// DOCKER_HOST, DOCKER_CONTEXT, the current context of config.json, the default
// socket. It does not yet talk to it. An error is a *fault.Fault.
func Connect(a Address) (*Client, error) {
	c, err := connect(a)
	if err != nil {
		return nil, &fault.Fault{Err: err, Try: "docker context ls", Code: fault.ExitFailed}
	}
	return c, nil
}

func connect(a Address) (*Client, error) {
	if a.Host != "" && a.Context != "" {
		return nil, errors.New("--host and --context exclude each other")
	}
	name := a.contextName()
	opts, host, err := options(a, name)
	if err != nil {
		return nil, err
	}
	// By default Go asks a remote engine to compress what it sends, which
	// makes reading volumes eight times slower.
	plain := client.WithHTTPHeaders(map[string]string{"Accept-Encoding": "identity"})
	opts = append(opts, plain, client.WithAPIVersionNegotiation())
	if a.Debug != nil {
		// A filter sees every request, and leaves the transport as it is: one around it
		// would take TLS and ssh from streams that are hijacked.
		opts = append(opts, client.WithTraceOptions(otelhttp.WithFilter(func(r *http.Request) bool {
			a.Debug(r.Method + " " + r.URL.RequestURI())
			return true
		})))
	}
	api, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, fmt.Errorf("docker engine: %w", err)
	}
	return &Client{api: api, host: withoutUser(host), context: name, local: isLocal(host)}, nil
}

// Socket is the address of the engine's Unix socket: given as -H it leads to the same
// engine, whatever the environment and the docker contexts say. It is false if the engine is
// reached at another address, which alone may not be enough.
func (c *Client) Socket() (address string, is bool) {
	return c.host, strings.HasPrefix(c.host, "unix://")
}

// ready negotiates the API version and recognises Podman, once, and refuses engines
// that are too old.
func (c *Client) ready(ctx context.Context) error {
	c.greeting.Lock()
	defer c.greeting.Unlock()
	if c.greeted {
		return nil
	}
	ping, err := c.api.Ping(ctx)
	if err != nil {
		return c.unreachable(err)
	}
	// An engine that is reloading its authorization plugins may send an empty answer.
	// The client would take it for the oldest engine there is, and never ask again.
	if ping.APIVersion == "" {
		return c.unreachable(errors.New("its answer does not say which API it speaks"))
	}
	c.api.NegotiateAPIVersionPing(ping)
	if versions.LessThan(c.api.ClientVersion(), minAPI) {
		return fmt.Errorf("docker engine at %s speaks API %s; %s (Engine 20.10) is the oldest that works here", c.host, c.api.ClientVersion(), minAPI)
	}
	c.speaks = ping.APIVersion                         // DOCKER_API_VERSION may have the client speak an older one
	if versions.LessThan(c.speaks, stableCreatedAPI) { // it may be Podman
		info, err := c.info(ctx)
		if err != nil {
			return err
		}
		c.podman = isPodman(info, c.speaks)
	}
	c.greeted = true
	return nil
}

// ErrUnreachable says that no engine answers.
var ErrUnreachable = errors.New("the Docker Engine does not answer")

// unreachable is why the engine could not be asked, with what to try.
func (c *Client) unreachable(err error) error {
	cause := err
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		cause = urlErr.Err
	}
	if errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "permission denied") {
		return &fault.Fault{
			Err:  fmt.Errorf("%w: permission denied on the socket %s", ErrUnreachable, c.host),
			Try:  "run it as root (sudo), or have this account join the socket's group: sudo usermod -aG docker $USER, and log in again",
			Code: fault.ExitFailed,
		}
	}
	wrapped := fmt.Errorf("%w at %s: %w", ErrUnreachable, c.host, cause)
	if urlErr == nil && client.IsErrConnectionFailed(err) { // nothing listens there, and the error says so at length
		wrapped = fmt.Errorf("%w at %s", ErrUnreachable, c.host)
	}
	return &fault.Fault{Err: wrapped, Try: "docker version   # and start the engine, or choose another with -H or --context", Code: fault.ExitFailed}
}

// Close ends what it has started, and idle connections.
func (c *Client) Close() {
	c.calling.Lock()
	defer c.calling.Unlock()
	_ = c.endSession(context.Background()) // a later run removes one that stays
	_ = c.api.Close()
}
