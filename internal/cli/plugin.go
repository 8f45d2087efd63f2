package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/contextcore/ccdestroy/internal/fault"
)

// Linked as docker-ccdestroy into a folder of Docker CLI plugins, the program is
// the command `docker ccdestroy`. The CLI asks it for metadata, and then calls it
// with all that the user typed, the CLI's own flags first:
//
//	docker-ccdestroy --context prod ccdestroy audit -n 20
//
// https://docs.docker.com/engine/extend/ says little; docker/cli's packages
// cli-plugins/manager and socket are the reference.
const (
	pluginName     = "docker-ccdestroy"
	pluginMetadata = "docker-cli-plugin-metadata"
	pluginSocket   = "DOCKER_CLI_PLUGIN_SOCKET"
	pluginOriginal = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND"
)

// IsPlugin reports whether the program was called by the name of the plugin.
func IsPlugin(argv0 string) bool {
	return strings.TrimSuffix(filepath.Base(argv0), ".exe") == pluginName
}

// PluginMetadata answers the CLI's first question, where it is asked.
func PluginMetadata(args []string, w io.Writer) (asked bool) {
	if len(args) == 0 || args[0] != pluginMetadata {
		return false
	}
	_ = json.NewEncoder(w).Encode(map[string]string{
		"SchemaVersion": "0.1.0", "Vendor": "ccdestroy", "Version": version(),
		"ShortDescription": "Tear down a Compose project with its volumes, audited", "URL": "https://github.com/contextcore/ccdestroy",
	})
	return true
}

// pluginFlags are the CLI's own flags that take a value, and the variable that
// says the same.
var pluginFlags = map[string]string{
	"--config": "DOCKER_CONFIG", "--context": "DOCKER_CONTEXT", "-c": "DOCKER_CONTEXT", "--host": "DOCKER_HOST", "-H": "DOCKER_HOST",
	"--tlscacert": "ca.pem", "--tlscert": "cert.pem", "--tlskey": "key.pem", "--log-level": "", "-l": "",
}

// fromPlugin reads the arguments of the plugin, and returns what a user would
// have given the program, and the variables that say the rest.
func fromPlugin(args []string) (rest []string, env map[string]string, err error) {
	switch {
	case len(args) > 0 && args[0] == "compose": // called by Compose itself: see composeCmd
		return args, nil, nil
	case len(args) > 0 && strings.HasPrefix(args[0], completeWord): // __completeNoDesc too
		return []string{completePlugin}, map[string]string{completeAsked: strings.Join(args[1:], " "), "COMP_POINT": ""}, nil
	}
	args, env, err = dockerFlags(args, "ccdestroy", "help")
	switch {
	case err != nil:
		return nil, nil, err
	case len(args) == 0:
		return nil, nil, errors.New("the Docker CLI did not name the plugin")
	case args[0] == "help":
		return append(slices.Clone(args[min(2, len(args)):]), "--help"), env, nil
	}
	return args[1:], env, nil
}

// dockerFlags takes the Docker CLI's own flags off the arguments, up to one of
// the words, and returns what is left, and the variables that say the same to us
// and to a child. An empty value unsets.
func dockerFlags(args []string, words ...string) (rest []string, env map[string]string, err error) {
	env, tls, one := map[string]string{}, map[string]bool{}, map[bool]string{true: "1"}
	for len(args) > 0 && !slices.Contains(words, args[0]) {
		flag, value, joined := strings.Cut(args[0], "=")
		if len(flag) > 2 && flag[0] == '-' && flag[1] != '-' && pluginFlags[flag[:2]] != "" { // -Htcp://…
			flag, value, joined = flag[:2], args[0][2:], true
		}
		args = args[1:]
		variable, takes := pluginFlags[flag]
		if takes && !joined {
			if len(args) == 0 {
				return nil, nil, fmt.Errorf("docker's flag %s has no value", flag)
			}
			value, args = args[0], args[1:]
		}
		switch {
		case strings.HasSuffix(variable, ".pem"):
			if filepath.Base(value) != variable || env["DOCKER_CERT_PATH"] != "" && env["DOCKER_CERT_PATH"] != filepath.Dir(value) {
				return nil, nil, fmt.Errorf("docker's flag %s %s: ccdestroy takes TLS files that are called ca.pem, cert.pem and key.pem, in one directory; or a docker context", flag, value)
			}
			env["DOCKER_CERT_PATH"] = filepath.Dir(value)
		case takes && variable != "":
			env[variable] = value
			if variable == "DOCKER_CONTEXT" {
				env["DOCKER_HOST"] = "" // which would win
			}
		case flag == "--tls" || flag == "--tlsverify":
			on, err := strconv.ParseBool(cmp.Or(value, "true"))
			if err != nil {
				return nil, nil, fmt.Errorf("docker's flag %s is true or false, not %q", flag, value)
			}
			tls[flag] = on
		}
	}
	if on, given := tls["--tls"]; given {
		env["DOCKER_TLS"] = one[on]
	}
	if on, given := tls["--tlsverify"]; given {
		env["DOCKER_TLS_VERIFY"] = one[on]
		if !on { // which still asks for TLS
			env["DOCKER_TLS"] = one[true]
		}
	}
	return args, env, nil
}

// AsPlugin turns this process, which the Docker CLI has called, into the one that
// a user would have called.
func (p Process) AsPlugin() (Process, error) {
	p.Plugin = true
	rest, env, err := fromPlugin(p.Args)
	if err != nil {
		return p, &fault.Fault{Err: err, Try: "docker ccdestroy --help", Code: fault.ExitUsage}
	}
	socket := p.Getenv(pluginSocket)
	if own := len(p.Args) - len(rest) - 1; own >= 0 && p.Args[own] == "ccdestroy" {
		p.dockers = slices.Clone(p.Args[:own])
	}
	p.Args = rest
	p, err = p.with(env, map[string]string{pluginSocket: "", pluginOriginal: ""})
	if socket != "" {
		p.Signals = withHangUp(p.Signals, socket)
	}
	return p, err
}

// with changes variables, for the whole process: the child and the libraries read
// them. An empty value unsets.
func (p Process) with(changes ...map[string]string) (Process, error) {
	var err error
	for _, env := range changes {
		for name, value := range env {
			p.Environ = slices.DeleteFunc(slices.Clone(p.Environ), func(v string) bool { return strings.HasPrefix(v, name+"=") })
			if value == "" {
				err = errors.Join(err, os.Unsetenv(name))
				continue
			}
			p.Environ = append(p.Environ, name+"="+value)
			err = errors.Join(err, os.Setenv(name, value))
		}
	}
	return p, err
}

// withHangUp adds a TERM to the signals when the CLI closes the socket, which is
// how it tells a plugin without a terminal to stop.
func withHangUp(signals <-chan os.Signal, socket string) <-chan os.Signal {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return signals // a CLI without a socket sends signals
	}
	out, closed := make(chan os.Signal, 16), make(chan struct{})
	go func() {
		_, _ = conn.Read(make([]byte, 1)) // nothing is ever sent
		close(closed)
	}()
	go func() {
		for {
			select {
			case sig := <-signals:
				out <- sig
			case <-closed:
				out <- syscall.SIGTERM
				closed = nil
			}
		}
	}()
	return out
}

// Complain writes why the program cannot begin, and returns the exit code.
func Complain(p Process, err error) int { return p.complain(err) }
