package engine

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/cli/cli/config"
	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	cliopts "github.com/docker/cli/opts"
	"github.com/docker/docker/client"
)

// Address is what the user said about which engine to use.
type Address struct {
	Host    string // -H
	Context string // --context
	Env     func(string) string
	Debug   func(line string) // is told of each request before it is sent; may be nil
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
