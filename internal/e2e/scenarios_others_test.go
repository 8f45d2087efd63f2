package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// otherScenarios are about networks, images, hooks, providers and flags of down.
// commits is what Podman 4.3 cannot do over its Docker socket.
const commits = "docker commit"

var otherScenarios = []scenario{
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
		name: "--rmi all", setup: then([][]string{{"tag", "IMAGE", "PROJ/app:1"}}, "compose up --detach"), down: []string{"--rmi", "all"}, outcome: "success",
		files: one("name: PROJ\nservices:\n  web:\n    image: PROJ/app:1\n"), fates: map[string]string{"image PROJ/app:1": "removed"},
	},
	{
		// Compose removes the image and prunes the project's dangling ones at once.
		name: "--rmi local", unable: commits, race: "unrecognized image ID", down: []string{"--rmi", "local"}, outcome: "success",
		setup: then([][]string{{"run", "--detach", "--name", "PROJ-maker", "--network", "none", "IMAGE"},
			{"commit", "--change", "LABEL com.docker.compose.project=PROJ com.docker.compose.service=web", "PROJ-maker", "PROJ-web:latest"},
			{"tag", "IMAGE", "PROJ/app:1"}}, "rm --force PROJ-maker", "compose up --detach"),
		files: one("name: PROJ\nservices:\n  web:\n    image: PROJ-web\n  app:\n    image: PROJ/app:1\n"),
		fates: map[string]string{"image PROJ-web:latest": "removed"},
	},
	{
		name: "--rmi all, in use by a stranger", unable: commits, down: []string{"--rmi", "all"}, outcome: "partial", exit: 3,
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
			s.env = append(s.env, "PATH="+filepath.Join(s.dir, "bin")+":"+pathOf(s.env))
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
}
