package compose

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseDown(t *testing.T) {
	yes, no, five := true, false, 5
	for _, c := range []struct {
		line string
		ok   bool
		want Args
		dry  bool
	}{
		{line: "/p/docker-compose compose down", ok: true},
		{line: "/p/docker-compose compose down -v", ok: true, want: Args{Volumes: true}},
		{line: "docker-compose compose down --volumes=false", ok: true},
		{line: "docker-compose compose down -vt 5 web", ok: true, want: Args{Volumes: true, Timeout: &five, Services: []string{"web"}}},
		{line: "docker-compose -H tcp://h:1 compose -f a.yaml -f b.yaml -p x --profile dev down --remove-orphans --rmi all -v", ok: true,
			want: Args{Host: "tcp://h:1", Files: []string{"a.yaml", "b.yaml"}, ProjectName: "x", Profiles: []string{"dev"}, RemoveOrphans: &yes, Images: "all", Volumes: true}},
		{line: "docker-compose --context prod compose --dry-run down -v", ok: true, want: Args{Context: "prod", Volumes: true}, dry: true},
		{line: "docker-compose --tlsverify --tlscacert /x/ca.pem -H tcp://h:1 compose down -v", ok: true, want: Args{Host: "tcp://h:1", Volumes: true}},
		{line: "docker-compose --tls compose -p x down", ok: true, want: Args{ProjectName: "x"}},
		{line: "docker-compose compose down -v --dry-run --remove-orphans=false", ok: true, want: Args{Volumes: true, RemoveOrphans: &no}, dry: true},
		{line: "docker-compose compose down -f a.yaml -v", ok: true, want: Args{Files: []string{"a.yaml"}, Volumes: true}},
		{line: "docker-compose-v5.6.0 -f a.yaml down -v", ok: true, want: Args{Files: []string{"a.yaml"}, Volumes: true}},
		{line: "docker-compose compose --parallel 2 --project-directory d --env-file e down -v --some-new-flag", ok: true,
			want: Args{ProjectDirectory: "d", EnvFiles: []string{"e"}, Volumes: true}},
		{line: "docker-compose compose up -d"},
		{line: "docker-compose compose stop"},
		{line: "docker-compose compose ps down"},
		{line: "bash -c down"},
		{line: "docker-compose"},
	} {
		call, ok := ParseDown(strings.Fields(c.line))
		if ok != c.ok {
			t.Errorf("%s: %v", c.line, ok)
			continue
		}
		if ok && (!reflect.DeepEqual(normal(call.Args), normal(c.want)) || call.DryRun != c.dry || call.Argv[0] != "docker" || call.Argv[len(call.Argv)-1] != last(c.line)) {
			t.Errorf("%s: %+v, dry %v, %q", c.line, call.Args, call.DryRun, call.Argv)
		}
	}
	if _, ok := ParseDown(nil); ok {
		t.Error("nothing is a down")
	}
}

// What was typed is taken apart where the parser saw the words: a value may be one of them.
func TestPartsOfADown(t *testing.T) {
	for _, c := range []struct{ line, docker, down string }{
		{"docker-compose compose down -v", "", "-v"},
		{"docker-compose --context prod compose down -v", "--context prod", "-v"},
		{"docker-compose -c compose compose -p down -f a.yaml down -v -- down", "-c compose", "-p down -f a.yaml -v -- down"},
		{"docker-compose --tlsverify -H tcp://h:1 compose --profile=down down", "--tlsverify -H tcp://h:1", "--profile=down"},
		{"docker-compose-v5.6.0 --context prod -p down down -v", "", "--context prod -p down -v"},
	} {
		call, ok := ParseDown(strings.Fields(c.line))
		if docker, down := strings.Join(call.Docker, " "), strings.Join(call.Down, " "); !ok || docker != c.docker || down != c.down {
			t.Errorf("%s: %t, %q, %q", c.line, ok, docker, down)
		}
	}
}

func last(line string) string { f := strings.Fields(line); return f[len(f)-1] }

// normal makes no difference between no values and none.
func normal(a Args) Args {
	for _, list := range []*[]string{&a.Files, &a.Profiles, &a.EnvFiles, &a.Services} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	return a
}
