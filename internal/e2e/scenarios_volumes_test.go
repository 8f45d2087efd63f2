package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// volumeScenarios are about which volumes go, and what keeps one.
var volumeScenarios = []scenario{
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
		outcome: "partial", exit: 3, fates: map[string]string{"volume PROJ_data": "kept in use by PROJ-stranger (not of this project)"},
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
		podman: func(sc *scenario) { // it knows that the volume was anonymous at first
			sc.outcome, sc.exit, sc.lost, sc.fates = "success", 0, []string{"anonymous PROJ-web-1:/own"}, nil
		},
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
}
