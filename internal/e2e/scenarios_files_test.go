package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fileScenarios are about how the project is found, and by which of Compose's two modes.
var fileScenarios = []scenario{
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
	{name: "files that cannot be read", files: one("services: [broken\n"), composeExit: 1, exit: 1, outcome: "failed", mode: "none"},
	{name: "unknown service", files: one(single), setup: up, named: []string{"wbe"}, composeExit: 1, exit: 1, outcome: "failed", mode: "none"},
	{name: "no file", composeExit: 1, exit: 1},
}
