package e2e

import "strings"

// serviceScenarios are about profiles, orphans, one-off containers and services that are named.
var serviceScenarios = []scenario{
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
		name: "one-off container", files: one(single), setup: then(up, "compose run --detach web"), outcome: "partial", exit: 3,
		fates: map[string]string{"container PROJ-web-run": "kept one-off", "volume PROJ_data": "kept in use by PROJ-web-run"},
	},
	{
		name: "one-off container with --remove-orphans", files: one(single), setup: then(up, "compose run --detach web"),
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
}
