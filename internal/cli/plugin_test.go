package cli

import (
	"fmt"
	"strings"
	"testing"
)

func TestFromPlugin(t *testing.T) {
	for _, c := range []struct{ args, rest, env, wrong string }{
		{args: "ccdestroy", rest: ""},
		{args: "ccdestroy --yes -H x", rest: "--yes -H x"},
		{args: "--context prod ccdestroy audit -n 20", rest: "audit -n 20", env: "map[DOCKER_CONTEXT:prod DOCKER_HOST:]"},
		{args: "-c=prod ccdestroy audit", rest: "audit", env: "map[DOCKER_CONTEXT:prod DOCKER_HOST:]"},
		{args: "-H tcp://a:1 -D --log-level debug ccdestroy down web", rest: "down web", env: "map[DOCKER_HOST:tcp://a:1]"},
		{args: "-Htcp://a:1 ccdestroy", rest: "", env: "map[DOCKER_HOST:tcp://a:1]"},
		{args: "--host=tcp://a:1 --tlsverify --tlscacert /x/ca.pem --tlscert=/x/cert.pem --tlskey /x/key.pem ccdestroy", env: "map[DOCKER_CERT_PATH:/x DOCKER_HOST:tcp://a:1 DOCKER_TLS_VERIFY:1]"},
		{args: "--tls ccdestroy", env: "map[DOCKER_TLS:1]"},
		{args: "--tls=false ccdestroy", env: "map[DOCKER_TLS:]"},
		{args: "--tlsverify=false ccdestroy", env: "map[DOCKER_TLS:1 DOCKER_TLS_VERIFY:]"},
		{args: "--tlsverify=1 --tls=0 ccdestroy", env: "map[DOCKER_TLS: DOCKER_TLS_VERIFY:1]"},
		{args: "--tlsverify=perhaps ccdestroy", wrong: "true or false"},
		{args: "--config /y ccdestroy version", rest: "version", env: "map[DOCKER_CONFIG:/y]"},
		{args: "help ccdestroy audit", rest: "audit --help"},
		{args: "help ccdestroy", rest: "--help"},
		{args: "__complete ccdestroy down web", rest: "__complete-plugin", env: "map[COMP_LINE:ccdestroy down web COMP_POINT:]"},
		{args: "__completeNoDesc ccdestroy --yes", rest: "__complete-plugin", env: "map[COMP_LINE:ccdestroy --yes COMP_POINT:]"},
		{args: "--tlscert /x/mine.pem ccdestroy", wrong: "--tlscert /x/mine.pem"},
		{args: "--tlscert /x/cert.pem --tlskey /z/key.pem ccdestroy", wrong: "in one directory"},
		{args: "--host", wrong: "--host has no value"},
		{args: "--debug", wrong: "did not name the plugin"},
	} {
		rest, env, err := fromPlugin(strings.Fields(c.args))
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q: %v", c.args, err)
			}
			continue
		}
		if c.env == "" {
			c.env = "map[]"
		}
		if err != nil || strings.Join(rest, " ") != c.rest || fmt.Sprint(env) != c.env {
			t.Errorf("%q: %q, %v, %v", c.args, rest, env, err)
		}
	}
}

func TestIsPlugin(t *testing.T) {
	for argv0, want := range map[string]bool{"/root/.docker/cli-plugins/docker-ccdestroy": true, `docker-ccdestroy.exe`: true, "ccdestroy": false, "/usr/bin/ccdestroy": false} {
		if IsPlugin(argv0) != want {
			t.Errorf("%q: %v", argv0, !want)
		}
	}
}
