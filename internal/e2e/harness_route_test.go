package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/certs"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// route is how the program under test reaches the engine: directly, or where the
// matrix says so behind SSH or TLS, each by variables or by a docker context. The
// test's own client, which checks what has become of things, goes directly.
var route = os.Getenv("CCDESTROY_ROUTE")

// onPodman says that the matrix is at Podman.
var onPodman = os.Getenv("CCDESTROY_ENGINE") == "podman"

// inOrder are arguments of a teardown that lets containers end in good order, for
// which Podman has to be given time: it kills at once otherwise.
func inOrder(args ...string) []string {
	if onPodman {
		args = append(args, "-t", "10")
	}
	return args
}

// remote reports whether the volumes can be read and written through the engine
// alone, which keeps whole seconds of times.
func remote() bool { return route != "" || os.Getuid() != 0 }

// reach has the stack's commands talk to the engine at host by the route.
func (s *stack) reach(host string) {
	s.t.Helper()
	s.env = withoutVariables(s.env, "DOCKER_HOST")
	way, byContext := strings.CutSuffix(route, "-context")
	s.host = host
	switch way {
	case "ssh":
		s.host = s.behindSSH(host)
	case "tls":
		a := certs.New(s.t)
		s.host, s.certificates = behindTLS(s.t, a, host), linked(s.t, a.Dir(s.t, true))
	}
	if byContext {
		s.named()
		return
	}
	s.env = append(s.env, "DOCKER_HOST="+s.host)
	s.verified()
}

// verified has commands that are given the engine's address find the certificates.
func (s *stack) verified() {
	if s.certificates != "" {
		s.env = append(s.env, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH="+s.certificates)
	}
}

// endpoint is the engine as docker context create takes it.
func (s *stack) endpoint() string {
	text := "host=" + s.host
	for _, file := range []string{"ca", "cert", "key"} {
		if s.certificates != "" {
			text += "," + file + "=" + filepath.Join(s.certificates, file+".pem")
		}
	}
	return text
}

// linked is another path of a directory, without the commas of a test's name: a
// context's endpoint is a list.
func linked(t *testing.T, dir string) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "ccdestroy-tls-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	link := filepath.Join(parent, "certificates")
	need.Run(t, "ln", "-s", dir, link)
	return link
}

// named makes a configuration whose current context is the engine.
func (s *stack) named() {
	s.t.Helper()
	dir := s.t.TempDir()
	need.Run(s.t, "mkdir", filepath.Join(dir, "cli-plugins"))
	need.Run(s.t, "ln", "-s", s.plugin(), filepath.Join(dir, "cli-plugins", "docker-compose"))
	s.env = append(s.env, "DOCKER_CONFIG="+dir)
	s.docker("context", "create", "behind", "--docker", s.endpoint())
	s.docker("context", "use", "behind")
}

// behindTLS is an address at which the engine speaks TLS, and demands a
// certificate of its clients.
func behindTLS(t *testing.T, a certs.Authority, engine string) (host string) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", a.Server(t, tls.RequireAndVerifyClientCert))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				engine, err := net.Dial("unix", strings.TrimPrefix(engine, "unix://"))
				if err != nil {
					return
				}
				defer engine.Close()
				go func() {
					if _, err := io.Copy(engine, client); err != nil { // such as one who speaks no TLS
						engine.Close()
					}
				}()
				_, _ = io.Copy(client, engine)
			}()
		}
	}()
	return "tcp://" + l.Addr().String()
}

// behindSSH is an address at which an SSH server on loopback has the engine
// behind it. The stack's ssh command has the key and knows the server.
func (s *stack) behindSSH(engine string) (host string) {
	s.t.Helper()
	dir := s.t.TempDir()
	for _, key := range []string{"server", "client"} {
		need.Run(s.t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	public, err := os.ReadFile(filepath.Join(dir, "server.pub"))
	if err != nil {
		s.t.Fatal(err)
	}
	files := map[string]string{
		// StrictModes would look at the directories above, which are the test's.
		"sshd_config": fmt.Sprintf("ListenAddress 127.0.0.1\nPort %d\nHostKey %s/server\nAuthorizedKeysFile %[2]s/client.pub\nStrictModes no\n"+
			"PidFile none\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nMaxStartups 100\nSetEnv DOCKER_HOST=%s\n", port, dir, engine),
		"config": fmt.Sprintf("IdentityFile %s/client\nIdentitiesOnly yes\nUserKnownHostsFile %[1]s/known\nGlobalKnownHostsFile none\nStrictHostKeyChecking yes\nLogLevel ERROR\n", dir),
		"known":  fmt.Sprintf("[127.0.0.1]:%d %s", port, public),
		// ssh takes the home directory from the list of accounts, not from $HOME.
		"bin/ssh": fmt.Sprintf("#!/bin/sh\nexec /usr/bin/ssh -F %s/config \"$@\"\n", dir),
	}
	need.Run(s.t, "mkdir", "-p", filepath.Join(dir, "bin"), "/run/sshd")
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			s.t.Fatal(err)
		}
	}
	server := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", filepath.Join(dir, "sshd_config"))
	if err := server.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	waitFor(s.t, "the SSH server", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
	path := pathOf(s.env)
	s.env = append(withoutVariables(s.env, "PATH"), "PATH="+filepath.Join(dir, "bin")+":"+path)
	return fmt.Sprintf("ssh://root@127.0.0.1:%d", port)
}
