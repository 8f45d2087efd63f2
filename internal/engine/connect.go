package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/cli/cli/config"
	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	cliopts "github.com/docker/cli/opts"
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

// Address is what the user said about which engine to use.
type Address struct {
	Host    string // -H
	Context string // --context
	Env     func(string) string
	Debug   func(line string) // is told of each request before it is sent; may be nil
}

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

// contextName is the docker context in use, "" for the default one.
func (a Address) contextName() string {
	name := a.Context
	switch {
	case name != "":
	case a.Host != "" || a.Env("DOCKER_HOST") != "":
		return ""
	case a.Env("DOCKER_CONTEXT") != "":
		name = a.Env("DOCKER_CONTEXT")
	default:
		if cfg := config.LoadDefaultConfigFile(io.Discard); cfg != nil {
			name = cfg.CurrentContext
		}
	}
	if name == "default" {
		return ""
	}
	return name
}

func options(a Address, name string) (opts []client.Opt, host string, err error) {
	if name != "" {
		return contextOptions(name)
	}
	data, verify, err := a.tls()
	if err != nil {
		return nil, "", err
	}
	named := cmp.Or(a.Host, a.Env("DOCKER_HOST"))
	if host, err = cliopts.ParseHost(data != nil, named); err != nil {
		return nil, "", fmt.Errorf("docker engine %q: %w", withoutUser(named), err)
	}
	endpoint := docker.Endpoint{EndpointMeta: docker.EndpointMeta{Host: host, SkipTLSVerify: data != nil && !verify}, TLSData: data}
	if opts, err = endpoint.ClientOpts(); err != nil {
		return nil, "", fmt.Errorf("docker engine %q: %w", withoutUser(host), err)
	}
	return opts, host, nil
}

// tls is how to talk to an engine that no context names; nil means in the
// clear. It follows docker/cli's cli/flags and cli/command: DOCKER_TLS_VERIFY and
// DOCKER_TLS switch TLS on whatever they hold, the certificates lie in
// DOCKER_CERT_PATH or beside config.json, the authority's must be there, and
// those of the client are used where they are.
func (a Address) tls() (data *dockercontext.TLSData, verify bool, err error) {
	verify = a.Env("DOCKER_TLS_VERIFY") != ""
	if !verify && a.Env("DOCKER_TLS") == "" {
		return nil, false, nil
	}
	dir := cmp.Or(a.Env("DOCKER_CERT_PATH"), config.Dir())
	var pair [2]string
	for i, name := range []string{"cert.pem", "key.pem"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			pair[i] = path
		}
	}
	if data, err = dockercontext.TLSDataFromFiles(filepath.Join(dir, "ca.pem"), pair[0], pair[1]); err != nil {
		return nil, verify, fmt.Errorf("TLS is asked for by DOCKER_TLS_VERIFY or DOCKER_TLS: %w", err)
	}
	return data, verify, nil
}

func contextOptions(name string) ([]client.Opt, string, error) {
	types := store.NewConfig(func() any { return &map[string]any{} },
		store.EndpointTypeGetter(docker.DockerEndpoint, func() any { return &docker.EndpointMeta{} }))
	contexts := store.New(config.ContextStoreDir(), types)
	meta, err := contexts.GetMetadata(name)
	if errdefs.IsNotFound(err) {
		return nil, "", fmt.Errorf("no such docker context: %q", name)
	}
	if err != nil {
		return nil, "", fmt.Errorf("docker context %q: %w", name, err)
	}
	endpoint, err := docker.EndpointFromContext(meta)
	if err != nil {
		return nil, "", fmt.Errorf("docker context %q: %w", name, err)
	}
	withTLS, err := docker.WithTLSData(contexts, name, endpoint)
	if err != nil {
		return nil, "", fmt.Errorf("docker context %q: %w", name, err)
	}
	opts, err := withTLS.ClientOpts()
	if err != nil {
		return nil, "", fmt.Errorf("docker context %q: %w", name, err)
	}
	return opts, endpoint.Host, nil
}

// withoutUser drops user name and password from an address.
func withoutUser(host string) string {
	u, err := url.Parse(host)
	if err != nil || u.User == nil {
		return host
	}
	u.User = nil
	return u.String()
}

func isLocal(host string) bool {
	return strings.HasPrefix(host, "unix://") || strings.HasPrefix(host, "npipe://")
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
