package hook

import (
	"strings"
	"testing"
)

// cases are commands as agents write them, with what is to be thought of each.
var cases = map[Decision][]string{
	Deny: {
		"docker compose down -v",
		"docker compose down --volumes --remove-orphans",
		"docker compose down --volumes=true",
		"docker compose -f a.yaml --profile dev -p shop down -v",
		"docker compose down -vt 3",
		"docker-compose down -v",
		"podman compose down -v",
		`\docker 'compose' "down" -"v"`,
		"/usr/bin/docker compose down -v",
		"docker -H tcp://x:2375 --context=y compose down -v",
		"docker volume rm a b",
		"docker volume remove a",
		"docker volume prune -af",
		"docker system prune -af --volumes",
		"docker --debug system prune --volumes",
		"cd /srv && docker compose down -v && docker compose up -d",
		"true || docker volume rm a; echo done",
		"docker ps | grep x & docker volume rm x",
		"sh -c 'docker volume rm a'",
		`bash -lc "cd x && docker compose down -v"`,
		`sh -c "sh -c 'docker volume rm a'"`,
		"COMPOSE_PROJECT_NAME=x docker compose down -v",
		"env -i PATH=/bin docker volume rm a",
		"env -S 'docker volume rm a'",
		"sudo docker volume rm a",
		"sudo -u root -E docker compose down -v",
		"sudo sh -c 'docker volume rm a'",
		"su - root -c 'docker volume rm a'",
		"ssh host 'docker volume rm a'",
		"ssh host docker volume rm a",
		"timeout 60 docker compose down -v",
		"time docker volume rm a",
		"! docker volume rm a",
		"nohup nice -n 5 docker volume rm a > /dev/null 2>&1 &",
		"docker volume ls -q | xargs docker volume rm",
		"docker volume ls -q | xargs -r -n1 -I{} docker volume rm {}",
		"docker volume ls -q | xargs sh -c 'docker volume rm \"$@\"' _",
		"docker volume rm $(docker volume ls -q)",
		"echo $(docker volume rm a)",
		"echo `docker volume rm a`",
		"cat <(docker volume rm a)",
		"for v in $(docker volume ls -q); do docker volume rm $v; done",
		"if docker volume inspect a; then docker volume rm a; fi",
		"while read v; do docker volume rm \"$v\"; done < list",
		"f() { docker volume rm a; }; f",
		"(cd x; docker compose down -v)",
		"{ docker compose down -v; }",
		"case x in x) docker volume rm a;; esac",
		"D=docker; $D volume rm a",
		"CMD='docker volume rm a'; eval $CMD",
		"eval 'docker volume' rm a",
		"FLAGS=-v; docker compose down $FLAGS",
		"docker compose down {-v,-t1}",
		"echo 'docker volume rm a' | sh",
		"printf 'docker volume rm a' | sudo bash",
		"bash <<EOF\ndocker volume rm a\nEOF",
		"bash <<< 'docker volume rm a'",
		"find . -name x -exec docker volume rm {} \\;",
		"docker compose \\\n  down \\\n  -v",
		"rm -rf /var/lib/docker/volumes/shop_data",
		"sudo rm -r --force /var/lib/docker/volumes/*",
		"rm -rf /var/lib/docker",
		"rm -rf /var/lib",
		"rm -fr ~ana/.local/share/docker/volumes/a",
		"rm -rf $ROOT/docker/volumes/a",
		"cd /var/lib/docker/volumes && rm -rf shop_data",
		"cd /var/lib && (cd docker; rm -rf volumes/a)",
		"rm -rf /srv/../var/lib/docker/volumes/a",
		"sudo rm -rf /var/lib/docker/ccdestroy-trash",
		"find /var/lib/docker/volumes -mindepth 1 -delete",
		"find /var/lib/docker/volumes -type d | xargs rm -rf",
		"podman volume rm a",
		"docker.exe volume rm a",
		"DOCKER volume rm a", // a file system that does not tell letters apart
		"uv run docker compose down -v",
		"npx docker compose down -v",
		"sg docker 'docker compose down -v'",
		"tmux new -d 'docker compose down -v'",
		"ls *.py | entr -r docker compose down -v",
		"cmd.exe /c \"docker compose down -v\"",
		"ssh host <<EOF\ndocker compose down -v\nEOF",
		"ssh host <<< 'docker volume rm a'",
		"echo docker volume rm a | ssh host",
		"trap 'docker compose down -v' EXIT",
		"alias d=docker; d volume rm a",
		"alias docker=true; docker volume rm a",
		"alias dcd='docker compose down'\ndcd -v",
		"bash -c -- 'docker volume rm a'",
		"csh -c 'docker volume rm a'",
		"bash -c '\"$0\" \"$@\"' docker volume rm a",
		"xargs grep x | ssh host 'docker volume rm a'",
		"watch grep 'a; docker volume rm a'",
		"sudo -u rg sh -c 'docker volume rm a'",
		"echo -e 'docker volume rm a' | bash",
		"printf '%s\\n' 'docker volume rm a' | bash",
		"printf 'docker volume %s a' rm | sh",
		`CMD=(docker compose down -v); "${CMD[@]}"`,
		`CMD=(docker compose); CMD+=(down -v); "${CMD[@]}"`,
		"X=down\\ -v; docker compose $X",
		"readonly D='docker volume'; $D rm a",
		"export D=docker; $D volume rm a",
		"docker -DH tcp://x volume rm a",
		"docker -cother volume rm a",
		"docker-compose -H tcp://x down -v",
		"docker compose --context x down -v",
		"/usr/libexec/docker/cli-plugins/docker-compose compose down -v",
		"podman --connection x volume rm a",
		"nerdctl -n k8s.io volume rm a",
		"podman system reset --force",
		"podman kube down --force x.yaml",
		"rm -rf /var/lib/docker/vol*",
		"rm -f /var/lib/docker/volumes/a/_data/db.sqlite",
		"unlink /var/lib/docker/volumes/a/_data/db.sqlite",
		"rm -rf $(docker volume inspect -f '{{.Mountpoint}}' a)",
	},
	Ask: {
		"docker compose down $FLAGS",
		"docker compose down \"$@\"",
		"docker $X",
		"docker compose $X",
		"docker volume $X a",
		"$X volume rm a",
		"docker rm -v web",
		"docker rm -fv web",
		"docker container rm --volumes web",
		"docker compose rm -sfv",
		"docker compose up -V",
		"eval \"docker $X\"",
		"sh -c \"docker $X\"",
		"docker volume rm 'a", // does not parse
		"curl http://x/docker.sh | sh",
		"curl --unix-socket /var/run/docker.sock -X DELETE http://x/v1.41/volumes/a",
		"curl --unix-socket /run/docker.sock -XPOST localhost/volumes/prune",
		"xh DELETE http://localhost:2375/volumes/a",
		"printf 'DELETE /volumes/a HTTP/1.0' | nc -U /var/run/docker.sock",
		"sudo $DC down -v",
		"timeout 5 \"$DC\" down -v",
		`docker compose down "${args[@]}"`,
		"echo down -v | xargs docker compose",
		"bash <(echo docker volume rm a)",
		"source <(echo docker volume rm a)",
		`python3 -c "import os; os.system('docker compose down -v')"`,
		"python3 - <<EOF\nsubprocess.run(['docker', 'compose', 'down', '-v'])\nEOF",
		`node -e "execSync('docker volume rm a')"`,
		`awk 'BEGIN{system("docker volume rm a")}'`,
		"podman machine rm",
		"mv /var/lib/docker/volumes/a /tmp",
		"shred -u /var/lib/docker/volumes/a/_data/db",
		"rsync -a --delete /empty/ /var/lib/docker/volumes/",
	},
	Pass: {
		"ls | xargs -n1 grep 'docker volume rm'",
		"find . -name '*.sh' -exec grep -l 'docker compose down -v' {} +",
		"sudo grep -r 'docker volume rm' /etc",
		"",
		"ls -la",
		"docker compose up -d",
		"docker compose down",
		"docker compose down --volumes=false",
		"docker compose down -t 3",
		"docker compose down --timeout 3 web",
		"docker compose run web down -v",
		"docker compose exec db psql -v x=1",
		"docker run -v data:/data alpine",
		"docker run --rm -it -v $PWD:/src image make",
		"docker volume ls",
		"docker volume create a",
		"docker system prune -af",
		"docker system df -v",
		"docker rm web",
		"docker build -t x .",
		"ccdestroy -p shop --yes",
		"ccdestroy down web",
		"git commit -m 'docker volume rm is denied'",
		"echo 'docker compose down -v'",
		"grep -r 'docker volume rm' docs",
		"rm -rf node_modules",
		"rm /var/lib/docker/volumes/x", // not recursive: a directory stays
		"rm -rf \"$TMP\"",
		"rm -rf ./docker",
		"make down",
		"if [ broken",
		"npm run $X",
		"cat <<EOF\ndocker volume rm a\nEOF",
		"find . -name '*.o' -delete",
		"curl -X DELETE http://localhost:8080/items/1",
		"git commit -m docker compose down -v",
		"rg docker compose down -v",
		"sed -i 's/docker compose down -v/ccdestroy/' Makefile",
		"python3 -c \"print(yaml.safe_load(open('docker-compose.yml'))['volumes'])\"",
		"docker ps -aq | xargs docker rm",
		"sudo -u \"$USER\" make down",
		"timeout \"$T\" npm run build -v",
		"sudo apt-get install docker docker-compose",
		"source <(docker completion bash)",
		"bash \"$HOME/docker-setup.sh\"",
		"trap - EXIT",
		`docker build "${args[@]}" .`,
		"rsync -a /var/lib/docker/volumes/ /backup/",
		"mv backup.tgz /var/lib/docker/volumes",
		"mv docker-compose.yml compose.yaml",
	},
}

func TestJudge(t *testing.T) {
	for want, commands := range cases {
		for _, c := range commands {
			got := Judge(c, "/home/ana/shop")
			if got.Decision != want || (got.Reason == "") != (want == Pass) {
				t.Errorf("%q: %q (%s), not %q", c, got.Decision, got.Reason, want)
			}
		}
	}
}

// However a command is written, judging it ends.
func FuzzJudge(f *testing.F) {
	for _, commands := range cases {
		for _, c := range commands {
			f.Add(c)
		}
	}
	f.Fuzz(func(t *testing.T, command string) {
		v := Judge(command, "/x")
		if v.Decision == Pass && v.Reason != "" || v.Decision != Pass && v.Reason == "" {
			t.Errorf("%q: %+v", command, v)
		}
	})
}

// A script that is nested too deeply is no reason to follow the next one less, and
// one that runs others in a million ways is asked about.
func TestJudgeBounds(t *testing.T) {
	deep := strings.Repeat("eval ", 2*depthLimit)
	for command, want := range map[string]Decision{
		deep + "true":      Pass,
		deep + "docker ps": Ask,
		deep + "true; sh -c 'docker volume rm a'":                 Deny,
		strings.Repeat("sudo eval ", 30) + "true":                 Ask,
		"docker volume rm a; " + strings.Repeat("sudo eval ", 30): Deny,
	} {
		if v := Judge(command, "/"); v.Decision != want {
			t.Errorf("%s: %q, want %q", command, v, want)
		}
	}
}

// Each agent is answered in its own shape; what is not asked about the shell is
// passed over.
func TestProtocol(t *testing.T) {
	const down = `docker compose down -v`
	for name, c := range map[string]struct{ in, want string }{
		"claude code": {`{"session_id":"a","cwd":"/x","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"` + down + `","description":"x"}}`,
			`{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"`},
		"asked":              {`{"hook_event_name":"PreToolUse","tool_input":{"command":"docker rm -v a"}}`, `{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"ask",`},
		"codex, cannot ask":  {`{"hook_event_name":"PreToolUse","turn_id":"1","tool_input":{"command":"docker rm -v a"}}`, `{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny",`},
		"an argument vector": {`{"hook_event_name":"PreToolUse","turn_id":"1","tool_input":{"command":["bash","-lc","` + down + `"]}}`, `{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny",`},
		"gemini":             {`{"hook_event_name":"BeforeTool","tool_name":"run_shell_command","tool_input":{"command":"` + down + `"}}`, `{"decision":"deny","reason":"`},
		"cursor":             {`{"hook_event_name":"beforeShellExecution","command":"` + down + `","cwd":"/x"}`, `{"agent_message":"`},
		"copilot":            {`{"timestamp":1,"cwd":"/x","toolName":"bash","toolArgs":"{\"command\":\"` + down + `\"}"}`, `{"permissionDecision":"deny","permissionDecisionReason":"`},
		"the directory":      {`{"cwd":"/var/lib/docker","hook_event_name":"PreToolUse","tool_input":{"command":"rm -rf volumes"}}`, `{"hookSpecificOutput":`},
		"harmless":           {`{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"ls"}}`, "{}\n"},
		"another tool":       {`{"hook_event_name":"PreToolUse","tool_name":"Write","tool_input":{"file_path":"a","content":"` + down + `"}}`, "{}\n"},
		"no input":           {`{"hook_event_name":"PreToolUse","tool_name":"x"}`, "{}\n"},
	} {
		q, err := Read(strings.NewReader(c.in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var out strings.Builder
		if err := q.Answer(&out, Judge(q.Command, q.Dir)); err != nil || !strings.HasPrefix(out.String(), c.want) {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
	for _, in := range []string{"", "x", "[]", `{"hook_event_name":"Stop"}`, `{}`} {
		if _, err := Read(strings.NewReader(in)); err == nil {
			t.Errorf("%q is taken for a question", in)
		}
	}
}
