package e2e

import "strings"

// one is the files of a project with a single file.
func one(compose string) map[string]string { return map[string]string{"compose.yaml": compose} }

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

// foreign runs a container that is not of the project.
const foreign = "run --detach --name PROJ-stranger --network none "

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

// slow has a service that does not stop before it is killed, and one that stops
// at once: a teardown stands still before anything is gone, or after the quick
// one is, for as long as a test needs.
const slow = `
name: PROJ
services:
  slow:
    image: IMAGE
    command: [sh, -c, "trap '' TERM; sleep infinity & wait"]
    stop_grace_period: 10m
    volumes: [data:/data]
QUICK
volumes:
  data:
`

const quick = "  quick:\n    image: IMAGE\n"

// double has two volumes, so that one can be gone and the other not yet.
const double = `
name: PROJ
services:
  db:
    image: IMAGE
    volumes: [one:/data]
    depends_on: [web]
  web:
    image: IMAGE
    volumes: [two:/data]
volumes:
  one:
  two:
`

// talker writes to its volume as long as it runs.
const talker = `
name: PROJ
services:
  db:
    image: IMAGE
    command: ["sh", "-c", "trap 'echo closed >> /data/log; exit' TERM; while :; do date >> /data/log; sleep 0.2 & wait; done"]
    volumes: [data:/data, /anon]
  web:
    image: IMAGE
    depends_on: [db]
    volumes: [uploads:/uploads]
volumes:
  data:
  uploads:
`

// audited is a project whose teardowns by docker compose itself are recorded.
const audited = `
name: PROJ
services:
  db:
    image: IMAGE
    volumes: [data:/data, /anon]
  web:
    image: IMAGE
    volumes: [uploads:/uploads]
  audit:
    provider:
      type: ccdestroy
    depends_on: [db, web]
volumes:
  data:
  uploads:
`
