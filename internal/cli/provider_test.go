package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/provider"
)

// What Compose is refused with can be pasted: it is the same teardown, on the same engine
// and in the same log.
func TestInPlaceOfCompose(t *testing.T) {
	for _, name := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"} {
		t.Setenv(name, "") // it is set back
		os.Unsetenv(name)
	}
	for _, c := range []struct {
		typed, log   string
		plugin, want string
	}{
		{"docker-compose compose down -v", "", "docker ccdestroy down -v --unprotect x", "ccdestroy down -v --unprotect x"},
		{"docker-compose --context prod compose -p down down -v", "", "docker --context prod ccdestroy down -p down -v --unprotect x", "ccdestroy down --context prod -p down -v --unprotect x"},
		{"docker-compose -H tcp://h:1 compose down -v -- web", "/w/log", "docker -H tcp://h:1 ccdestroy down --log /w/log -v --unprotect x -- web", "ccdestroy down --host tcp://h:1 --log /w/log -v --unprotect x -- web"},
		{"docker-compose --tlsverify --tlscacert /x/ca.pem -H tcp://h:1 compose down", "", "docker --tlsverify --tlscacert /x/ca.pem -H tcp://h:1 ccdestroy down --no-volumes --unprotect x",
			"env DOCKER_CERT_PATH=/x DOCKER_TLS_VERIFY=1 ccdestroy down --host tcp://h:1 --no-volumes --unprotect x"},
		{"docker-compose --context prod -f a.yaml down --volumes", "", "docker ccdestroy down --context prod -f a.yaml --volumes --unprotect x", "ccdestroy down --context prod -f a.yaml --volumes --unprotect x"},
	} {
		for _, plugin := range []bool{false, true} {
			call, ok := compose.ParseDown(strings.Fields(c.typed))
			p := Process{Dir: t.TempDir(), Plugin: plugin}
			p, err := p.inPlaceOf(provider.Caller{Call: call}, c.log)
			b := p.book(nil, 0)
			want := map[bool]string{true: c.plugin, false: c.want}[plugin]
			if got := b.Again("--unprotect", "x"); !ok || err != nil || got != want {
				t.Errorf("%s: %q, %v, want %q", c.typed, got, err, want)
			}
			if got := p.style(os.Stdout).Called(want); got != want {
				t.Errorf("%s: shown as %q", c.typed, got)
			}
		}
	}
	call, _ := compose.ParseDown(strings.Fields("docker-compose --tls --tlscacert /x/mine.pem compose down"))
	if _, err := (Process{}).inPlaceOf(provider.Caller{Call: call}, ""); fault.AsFault(err) == nil || !strings.Contains(err.Error(), "mine.pem") {
		t.Errorf("%v", err)
	}
}
