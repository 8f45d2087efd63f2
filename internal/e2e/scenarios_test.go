package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// up is the usual set-up.
var up = [][]string{{"compose", "up", "--detach"}}

// then adds docker commands to a set-up.
func then(first [][]string, more ...string) [][]string {
	out := append([][]string{}, first...)
	for _, line := range more {
		out = append(out, strings.Fields(line))
	}
	return out
}

// one is the files of a project with a single file.
func one(compose string) map[string]string { return map[string]string{"compose.yaml": compose} }

// shop has one of everything that a teardown usually meets.
const shop = `
name: PROJ
services:
  db:
    image: IMAGE
    volumes: [data:/data, /scratch]
  web:
    image: IMAGE
    depends_on: [db]
    volumes: [uploads:/uploads]
volumes:
  data:
  uploads:
`

// single has one service with one volume.
const single = `
name: PROJ
services:
  web:
    image: IMAGE
    volumes: [data:/data]
volumes:
  data:
`

// profiled has a service that is off by default and keeps to itself.
const profiled = `
name: PROJ
services:
  web:
    image: IMAGE
    volumes: [data:/data]
  debug:
    image: IMAGE
    profiles: [debug]
    network_mode: none
    volumes: [traces:/traces]
volumes:
  data:
  traces:
`

// foreign runs a container that is not of the project.
const foreign = "run --detach --name PROJ-stranger --network none "

var scenarios = []scenario{
	{
		name: "named, anonymous, network", files: one(shop), setup: up, outcome: "success",
		lost:  []string{"PROJ_data", "PROJ_uploads", "anonymous PROJ-db-1:/scratch"},
		fates: map[string]string{"volume PROJ_data": "removed", "network PROJ_default": "removed", "container PROJ-web-1": "removed"},
	},
	{name: "nothing is there", files: one(shop), outcome: "success"},
	{
		name: "only volumes are left", files: one(shop), setup: then(up, "compose down"), outcome: "success",
		lost: []string{"PROJ_data", "PROJ_uploads"},
	},
	{
		name: "stopped containers", files: one(shop), setup: then(up, "compose stop"), outcome: "success",
		lost: []string{"PROJ_data", "PROJ_uploads", "anonymous PROJ-db-1:/scratch"},
	},
	{
		name: "paused container", files: one(single), setup: then(up, "compose pause"), outcome: "success",
		lost: []string{"PROJ_data"},
	},
	{
		name: "created, never started", files: one(single), setup: then(nil, "compose create"), outcome: "success",
		lost: []string{"PROJ_data"},
	},
	{
		name: "scaled service", setup: then(nil, "compose up --detach --scale web=3"), outcome: "success",
		files: one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [/own]\n"),
		lost:  []string{"anonymous PROJ-web-1:/own", "anonymous PROJ-web-2:/own", "anonymous PROJ-web-3:/own"},
	},
	{
		name: "external volume", setup: then([][]string{{"volume", "create", "PROJ-legacy"}}, "compose up --detach"), outcome: "success",
		files: one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [old:/old, new:/new]\nvolumes:\n  new:\n  old: {external: true, name: PROJ-legacy}\n"),
		lost:  []string{"PROJ_new"}, fates: map[string]string{"volume PROJ-legacy": "kept external"},
	},
	{
		name: "unlabelled volume of the declared name", outcome: "success", lost: []string{"PROJ-mine"},
		files: one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [vol:/a]\nvolumes:\n  vol: {name: PROJ-mine}\n"),
		setup: then(nil, "volume create PROJ-mine", "compose up --detach"),
	},
	{
		name: "volume of another project by the same name", outcome: "success", lost: []string{"PROJ-theirs"},
		files: one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [vol:/a]\nvolumes:\n  vol: {name: PROJ-theirs}\n"),
		setup: then(nil, "volume create --label com.docker.compose.project=other --label com.docker.compose.volume=vol PROJ-theirs"),
		check: func(t *testing.T, _ *stack, r result, events []event) {
			if !strings.Contains(r.stderr, "belongs to project other by its label") {
				t.Errorf("no warning about the other project:\n%s", r.stderr)
			}
			if got := events[0].Details.Resources[0].Claimed; got != "other" {
				t.Errorf("claimed_by %q", got)
			}
		},
	},
	{
		name: "in use by a stranger", files: one(single), setup: then(up, foreign+"--volume PROJ_data:/d IMAGE"),
		outcome: "partial", exit: 3, fates: map[string]string{"volume PROJ_data": "kept in use by PROJ-stranger, not of this project"},
		check: func(t *testing.T, s *stack, r result, _ []event) {
			for _, want := range []string{"PARTLY destroyed", "docker rm -f " + s.name + "-stranger", "docker compose down -v exits 0 here; this is exit 3"} {
				if !strings.Contains(r.stderr, want) {
					t.Errorf("the screen does not say %q:\n%s", want, r.stderr)
				}
			}
		},
	},
	{
		name: "in use by a stranger that was only created", files: one(single), setup: then(up, "create --name PROJ-stranger --volume PROJ_data:/d IMAGE"),
		outcome: "partial", exit: 3, fates: map[string]string{"volume PROJ_data": "kept in use by PROJ-stranger"},
	},
	{
		name: "nothing goes", files: one(single), setup: then(up, foreign+"--volume PROJ_data:/d IMAGE", "compose down"),
		outcome: "failed", exit: 1, fates: map[string]string{"volume PROJ_data": "kept in use by"},
	},
	{
		name: "anonymous volume that a stranger shares", outcome: "partial", exit: 3,
		files: one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [/own]\n"),
		setup: then(up, foreign+"--volumes-from PROJ-web-1 IMAGE"),
		fates: map[string]string{"volume anonymous PROJ-stranger:/own+PROJ-web-1:/own": "kept in use by PROJ-stranger"},
	},
	{
		name: "anonymous volume of a recreated container", outcome: "partial", exit: 3,
		files: one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [/own]\n"),
		setup: then(up, "compose up --detach --force-recreate"),
		fates: map[string]string{"volume anonymous PROJ-web-1:/own": "kept anonymous, carried over"},
	},
	{
		name: "declared, but no service uses it", outcome: "success", lost: []string{"PROJ_data"},
		files: one(single + "  spare:\n"), setup: then(up, "volume create --label com.docker.compose.project=PROJ --label com.docker.compose.volume=spare PROJ_spare"),
		fates: map[string]string{"volume PROJ_spare": "kept declared, but no service uses it"},
	},
	{
		name: "--all-resources", outcome: "success", lost: []string{"PROJ_data", "PROJ_spare"}, flags: []string{"--all-resources"},
		files: one(single + "  spare:\n"), setup: then(up, "volume create --label com.docker.compose.project=PROJ --label com.docker.compose.volume=spare PROJ_spare"),
	},
	{
		name: "inactive profile", files: one(profiled), setup: then(nil, "compose --profile debug up --detach"), outcome: "success",
		lost:  []string{"PROJ_data"},
		fates: map[string]string{"volume PROJ_traces": "kept only used by service debug: profile debug is not active", "container PROJ-debug-1": "kept profile debug is not active"},
	},
	{
		name: "active profile", files: one(profiled), setup: then(nil, "compose --profile debug up --detach"), flags: []string{"--profile", "debug"},
		outcome: "success", lost: []string{"PROJ_data", "PROJ_traces"},
	},
	{
		name: "COMPOSE_PROFILES", files: one(profiled), env: []string{"COMPOSE_PROFILES=debug"}, setup: up,
		outcome: "success", lost: []string{"PROJ_data", "PROJ_traces"},
	},
	{
		name: "inactive profile on the default network", setup: then(nil, "compose --profile debug up --detach"), outcome: "partial", exit: 3,
		files: one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n  debug:\n    image: IMAGE\n    profiles: [debug]\n"),
		fates: map[string]string{"network PROJ_default": "kept in use by PROJ-debug-1"},
	},
	{
		name: "labelled, no longer declared", files: map[string]string{"compose.yaml": single, "old.yaml": shop},
		setup: then(nil, "compose -f old.yaml up --detach"), outcome: "partial", exit: 3, lost: []string{},
		// The orphan db holds the data and the network; web goes.
		fates: map[string]string{"volume PROJ_uploads": "kept labelled for this project, but not declared", "container PROJ-db-1": "kept orphan", "volume PROJ_data": "kept in use by PROJ-db-1"},
	},
	{
		name: "orphans stay", files: map[string]string{"compose.yaml": single, "old.yaml": strings.Replace(shop, "data:/data", "extra:/data", 1) + "  extra:\n"},
		setup: then(nil, "compose -f old.yaml up --detach"), outcome: "partial", exit: 3,
		fates: map[string]string{"container PROJ-db-1": "kept orphan", "network PROJ_default": "kept in use by PROJ-db-1", "volume PROJ_extra": "kept labelled"},
	},
	{
		name: "--remove-orphans takes their containers, not their volumes", files: map[string]string{"compose.yaml": single, "old.yaml": strings.Replace(shop, "data:/data", "extra:/data", 1) + "  extra:\n"},
		setup: then(nil, "compose -f old.yaml up --detach"), down: []string{"--remove-orphans"}, outcome: "success",
		fates: map[string]string{"container PROJ-db-1": "removed", "volume PROJ_extra": "kept labelled", "volume anonymous PROJ-db-1:/scratch": "kept anonymous"},
	},
	{
		name: "COMPOSE_REMOVE_ORPHANS", files: map[string]string{"compose.yaml": single, "old.yaml": shop}, env: []string{"COMPOSE_REMOVE_ORPHANS=true"},
		setup: then(nil, "compose -f old.yaml up --detach"), outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "one-off container", files: one(single), setup: then(up, "compose run --detach web sleep 1000"), outcome: "partial", exit: 3,
		fates: map[string]string{"container PROJ-web-run": "kept one-off", "volume PROJ_data": "kept in use by PROJ-web-run"},
	},
	{
		name: "one-off container with --remove-orphans", files: one(single), setup: then(up, "compose run --detach web sleep 1000"),
		down: []string{"--remove-orphans"}, outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "finished one-off container with --remove-orphans", files: one(single), setup: then(up, "compose run web true"),
		down: []string{"--remove-orphans"}, outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "one service, its dependency runs on", files: one(shop), setup: up, named: []string{"web"}, outcome: "success",
		lost:  []string{"PROJ_uploads"},
		fates: map[string]string{"volume PROJ_data": "kept in use by PROJ-db-1", "container PROJ-db-1": "kept a dependency only", "network PROJ_default": "kept in use by PROJ-db-1"},
	},
	{
		name: "one service, its dependency is gone", files: one(shop), setup: then(up, "rm --force PROJ-db-1"), named: []string{"web"}, outcome: "success",
		lost: []string{"PROJ_data", "PROJ_uploads"},
	},
	{
		name: "the dependency alone", files: one(shop), setup: up, named: []string{"db"}, outcome: "success",
		lost:  []string{"PROJ_data", "anonymous PROJ-db-1:/scratch"},
		fates: map[string]string{"container PROJ-web-1": "kept its service was not named", "volume PROJ_uploads": "kept only used by service web"},
	},
	{
		name: "one service of two that share a volume", setup: up, named: []string{"web"}, outcome: "success", lost: nil,
		files: one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [data:/a]\n  db:\n    image: IMAGE\n    volumes: [data:/b]\nvolumes:\n  data:\n"),
		fates: map[string]string{"volume PROJ_data": "kept in use by PROJ-db-1", "container PROJ-web-1": "removed"},
	},
	{
		name: "a service of an inactive profile, named", files: one(profiled), setup: then(nil, "compose --profile debug up --detach"), named: []string{"debug"},
		outcome: "success", lost: []string{"PROJ_traces"},
	},
	{
		name: "labels mode", files: one(profiled), setup: then(nil, "compose --profile debug up --detach", "volume create --label com.docker.compose.project=PROJ --label com.docker.compose.volume=spare PROJ_spare"),
		flags: []string{"-p", "PROJ"}, mode: "labels", outcome: "success", lost: []string{"PROJ_data", "PROJ_spare", "PROJ_traces"},
	},
	{
		name: "labels mode in upper case", files: one(single), setup: up, flags: []string{"-p", "UPPER"}, mode: "labels", outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "labels mode in spite of COMPOSE_FILE", files: one(single), setup: up, env: []string{"COMPOSE_FILE=compose.yaml"},
		flags: []string{"-p", "PROJ"}, mode: "labels", outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "labels mode takes what is external by now", setup: then(nil, "compose -f old.yaml up --detach"),
		files: map[string]string{"old.yaml": single, "compose.yaml": "name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [data:/data]\nvolumes:\n  data: {external: true, name: PROJ_data}\n"},
		flags: []string{"-p", "PROJ"}, mode: "labels", outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "files mode keeps what is external by now", setup: then(nil, "compose -f old.yaml up --detach"),
		files:   map[string]string{"old.yaml": single, "compose.yaml": "name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [data:/data]\nvolumes:\n  data: {external: true, name: PROJ_data}\n"},
		outcome: "success", fates: map[string]string{"volume PROJ_data": "kept external"},
	},
	{
		name: "labels mode, two volumes of one key", files: one(single), mode: "labels", flags: []string{"-p", "PROJ"}, open: true, outcome: "partial", exit: 3,
		setup: then(up, "volume create --label com.docker.compose.project=PROJ --label com.docker.compose.volume=data PROJ_twin"),
	},
	{
		name: "labels mode, a service and what depends on it", files: one(shop), setup: up, flags: []string{"-p", "PROJ"}, named: []string{"db"},
		mode: "labels", outcome: "success", lost: []string{"PROJ_data", "PROJ_uploads", "anonymous PROJ-db-1:/scratch"},
	},
	{
		name: "labels mode, a service that is not there", files: one(shop), setup: up, flags: []string{"-p", "PROJ"}, named: []string{"nobody"},
		mode: "labels", outcome: "success", fates: map[string]string{"volume PROJ_data": "kept none of the named services"},
	},
	{
		name: "silent fallback to labels", setup: then(nil, "compose -f old.yaml up --detach"), env: []string{"COMPOSE_PROJECT_NAME=PROJ"},
		files: map[string]string{"old.yaml": profiled, "compose.yaml": "services: [broken\n"},
		mode:  "labels", outcome: "success", lost: []string{"PROJ_data"},
		check: func(t *testing.T, _ *stack, r result, events []event) {
			if !strings.Contains(r.stderr, "WARNING: the files could not be read") || events[0].Details.Fallback == "" {
				t.Errorf("the fallback is not told:\n%s", r.stderr)
			}
		},
	},
	{
		name: "silent fallback by .env", setup: then(nil, "compose -f old.yaml up --detach"), files: map[string]string{"old.yaml": single, "compose.yaml": "services: [broken\n", ".env": "COMPOSE_PROJECT_NAME=PROJ\n"},
		mode: "labels", outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "file on standard input", files: map[string]string{"in.yaml": single}, setup: then(nil, "compose -f in.yaml up --detach"),
		flags: []string{"-f", "-"}, stdin: "in.yaml", outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "several files", files: map[string]string{"a.yaml": single, "b.yaml": "services:\n  more:\n    image: IMAGE\n    volumes: [extra:/extra]\nvolumes:\n  extra:\n"},
		setup: then(nil, "compose -f a.yaml -f b.yaml up --detach"), flags: []string{"-f", "a.yaml", "-f", "b.yaml"}, outcome: "success", lost: []string{"PROJ_data", "PROJ_extra"},
	},
	{
		name: "COMPOSE_FILE", files: map[string]string{"a.yaml": single, "b.yaml": "services:\n  more:\n    image: IMAGE\n    volumes: [extra:/extra]\nvolumes:\n  extra:\n"},
		env: []string{"COMPOSE_FILE=a.yaml,b.yaml", "COMPOSE_PATH_SEPARATOR=,"}, setup: up, outcome: "success", lost: []string{"PROJ_data", "PROJ_extra"},
	},
	{
		name: "override file", files: map[string]string{"compose.yaml": single, "compose.override.yaml": "services:\n  more:\n    image: IMAGE\n    volumes: [extra:/extra]\nvolumes:\n  extra:\n"},
		setup: up, outcome: "success", lost: []string{"PROJ_data", "PROJ_extra"},
	},
	{
		name: "include", setup: up, outcome: "success", lost: []string{"PROJ_data", "PROJ_extra"},
		files: map[string]string{"compose.yaml": "include: [part/part.yaml]\n" + single, "part/part.yaml": "services:\n  more:\n    image: IMAGE\n    volumes: [extra:/extra]\nvolumes:\n  extra:\n"},
	},
	{
		name: "sub-directory", files: map[string]string{"compose.yaml": single, "deep/down/README": ""}, setup: up, sub: "deep/down", outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "--project-directory", setup: then(nil, "compose --project-directory app up --detach"), flags: []string{"--project-directory", "app"},
		files: map[string]string{"app/compose.yaml": single}, outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "--env-file", setup: then(nil, "compose --env-file my.env up --detach"), flags: []string{"--env-file", "my.env"}, outcome: "success", lost: []string{"PROJ-fromenv"},
		files: map[string]string{"my.env": "VOL=PROJ-fromenv\n", "compose.yaml": "name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [vol:/a]\nvolumes:\n  vol: {name: \"${VOL}\"}\n"},
	},
	{
		name: ".env", setup: up, outcome: "success", lost: []string{"PROJ-dotenv"},
		files: map[string]string{".env": "VOL=PROJ-dotenv\n", "compose.yaml": "name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [vol:/a]\nvolumes:\n  vol: {name: \"${VOL}\"}\n"},
	},
	{
		name: "COMPOSE_PROJECT_NAME over name", files: one(strings.Replace(single, "name: PROJ", "name: another", 1)), env: []string{"COMPOSE_PROJECT_NAME=PROJ"},
		setup: up, outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "-p with -f stays in files mode", files: one(strings.Replace(single, "name: PROJ", "name: another", 1)), flags: []string{"-p", "PROJ", "-f", "compose.yaml"},
		setup: then(nil, "compose -p PROJ -f compose.yaml up --detach"), outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "env_file is missing by now", setup: up, outcome: "success", lost: []string{"PROJ_data"},
		files: map[string]string{"secret.env": "A=1\n", "compose.yaml": strings.Replace(single, "    volumes:", "    env_file: [secret.env]\n    volumes:", 1)},
		after: func(s *stack) { _ = os.Remove(filepath.Join(s.dir, "secret.env")) },
	},
	{
		name: "volume that is a view of a host directory", setup: up, outcome: "success", lost: []string{"PROJ_view"},
		files: map[string]string{"host/precious": "data", "compose.yaml": "name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [view:/v]\nvolumes:\n  view:\n    driver_opts: {type: none, o: bind, device: \"${PWD}/host\"}\n"},
		check: func(t *testing.T, s *stack, r result, _ []event) {
			if _, err := os.Stat(filepath.Join(s.dir, "host/precious")); err != nil || !strings.Contains(r.stderr, "the files there stay") {
				t.Errorf("%v\n%s", err, r.stderr)
			}
		},
	},
	{
		name: "bind mounts stay", setup: up, outcome: "success",
		files: map[string]string{"www/index": "x", "compose.yaml": "name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [./www:/www, ./www:/ro:ro]\n"},
		check: func(t *testing.T, s *stack, _ result, events []event) {
			n := 0
			for _, r := range events[0].Details.Resources {
				if r.Kind == "bind" && r.Fate == "kept" && r.Name == filepath.Join(s.dir, "www") {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d bind mounts listed, want 1: %+v", n, events[0].Details.Resources)
			}
		},
	},
	{
		name: "external network", setup: then([][]string{{"network", "create", "PROJ-net"}}, "compose up --detach"), outcome: "success", lost: []string{"PROJ_data"},
		files: one(single + "networks:\n  default: {external: true, name: PROJ-net}\n"),
		fates: map[string]string{"network PROJ-net": "kept external"},
	},
	{
		name: "network in use by a stranger", files: one(single), setup: then(up, "run --detach --name PROJ-stranger --network PROJ_default IMAGE"),
		outcome: "partial", exit: 3, lost: []string{"PROJ_data"}, fates: map[string]string{"network PROJ_default": "kept in use by PROJ-stranger"},
	},
	{
		name: "network of a stranger that has stopped", files: one(single), setup: then(up, "run --detach --name PROJ-stranger --network PROJ_default IMAGE", "stop PROJ-stranger"),
		outcome: "success", lost: []string{"PROJ_data"},
	},
	{
		name: "odd volume names", setup: up, outcome: "success", lost: []string{"PROJ.a_b-C", "PROJ_k.e_y-1"},
		files: one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [\"k.e_y-1:/a\", other:/b]\nvolumes:\n  k.e_y-1:\n  other: {name: PROJ.a_b-C}\n"),
	},
	{
		name: "a one-letter volume looks like a Windows path", setup: then(nil, "volume create PROJ_x"), outcome: "success",
		files: one("name: PROJ\nservices:\n  web:\n    image: IMAGE\n    volumes: [\"x:/x\"]\nvolumes:\n  x:\n"),
		fates: map[string]string{"volume PROJ_x": "kept declared, but no service uses it"},
	},
	{
		name: "tmpfs mounts", setup: up, outcome: "success", lost: []string{"PROJ_data"},
		files: one(strings.Replace(single, "    volumes:", "    tmpfs: [/t]\n    volumes:", 1)),
	},
	{
		name: "--rmi all", setup: then([][]string{{"tag", "IMAGE", "PROJ/app:1"}}, "compose up --detach"), down: []string{"--rmi", "all"}, outcome: "success",
		files: one("name: PROJ\nservices:\n  web:\n    image: PROJ/app:1\n"), fates: map[string]string{"image PROJ/app:1": "removed"},
	},
	{
		name: "--rmi local", down: []string{"--rmi", "local"}, outcome: "success",
		setup: then([][]string{{"run", "--detach", "--name", "PROJ-maker", "--network", "none", "IMAGE"},
			{"commit", "--change", "LABEL com.docker.compose.project=PROJ com.docker.compose.service=web", "PROJ-maker", "PROJ-web:latest"},
			{"tag", "IMAGE", "PROJ/app:1"}}, "rm --force PROJ-maker", "compose up --detach"),
		files: one("name: PROJ\nservices:\n  web:\n    image: PROJ-web\n  app:\n    image: PROJ/app:1\n"),
		fates: map[string]string{"image PROJ-web:latest": "removed"},
	},
	{
		name: "--rmi all, in use by a stranger", down: []string{"--rmi", "all"}, outcome: "partial", exit: 3,
		setup: then([][]string{{"run", "--detach", "--name", "PROJ-maker", "--network", "none", "IMAGE"}, {"commit", "PROJ-maker", "PROJ/app:1"}},
			"rm --force PROJ-maker", "compose up --detach", foreign+"PROJ/app:1"),
		files: one("name: PROJ\nservices:\n  web:\n    image: PROJ/app:1\n"), fates: map[string]string{"image PROJ/app:1": "kept in use by PROJ-stranger"},
	},
	{
		name: "pre_stop hook", setup: up, outcome: "success", lost: []string{"PROJ_data"},
		files: one(strings.Replace(single, "    volumes:", "    pre_stop: [{command: [\"true\"]}]\n    volumes:", 1)),
		check: func(t *testing.T, _ *stack, _ result, events []event) {
			if runs := events[0].Details.Runs; len(runs) != 1 || runs[0] != "pre_stop hook in web: true" {
				t.Errorf("runs %q", runs)
			}
		},
	},
	{
		name: "provider", setup: up, outcome: "success", lost: []string{"PROJ_data"},
		files: map[string]string{
			"compose.yaml":    strings.Replace(single, "services:", "services:\n  cloud:\n    provider: {type: e2eprovider}", 1),
			"bin/e2eprovider": "#!/bin/sh\necho '{\"type\":\"info\",\"message\":\"done\"}'\n",
		},
		ready: func(s *stack) {
			_ = os.Chmod(filepath.Join(s.dir, "bin/e2eprovider"), 0o755)
			s.env = append(s.env, "PATH="+filepath.Join(s.dir, "bin")+":"+os.Getenv("PATH"))
		},
		check: func(t *testing.T, _ *stack, _ result, events []event) {
			if runs := events[0].Details.Runs; len(runs) != 1 || runs[0] != "provider e2eprovider of service cloud" {
				t.Errorf("runs %q", runs)
			}
		},
	},
	{
		name: "-t 0", files: one(single), setup: up, down: []string{"-t", "0"}, outcome: "success", lost: []string{"PROJ_data"},
		check: func(t *testing.T, _ *stack, _ result, events []event) {
			if got := strings.Join(events[0].Details.Command, " "); got != "docker compose down --volumes --timeout 0" {
				t.Errorf("command %q", got)
			}
		},
	},
	{
		name: "--parallel -1 and --progress", files: one(single), setup: up, flags: []string{"--parallel", "-1", "--progress", "plain", "--ansi", "never"}, outcome: "success", lost: []string{"PROJ_data"},
	},
	{name: "files that cannot be read", files: one("services: [broken\n"), composeExit: 1, exit: 1, outcome: "failed", mode: "none"},
	{name: "unknown service", files: one(single), setup: up, named: []string{"wbe"}, composeExit: 1, exit: 1, outcome: "failed", mode: "none"},
	{name: "no file", composeExit: 1, exit: 1},
}
