#!/usr/bin/env bash
# Runs a command with a Docker Engine and a Docker Compose at hand.
#
#   with-engine.sh COMMAND [ARG...]
#
# An engine that answers already is used as it is. Else, as root on Debian or
# Ubuntu, the packages it takes are installed and an engine of our own is
# started: on its own socket and data root, in its own network namespace, and
# stopped and removed with all it held when COMMAND ends. A Compose plugin that
# is missing is built from its source by Go, once, and kept in the cache.
#
# The matrix asks for certain ones: CCDESTROY_DAEMON is a script like daemon.sh,
# whose engine is used whatever answers, and CCDESTROY_COMPOSE is a plugin.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d /tmp/ccdestroy-lab.XXXXXX)
daemon=

say() { echo "lab: $*" >&2; }

finish() {
	code=$?
	trap - EXIT
	if [ -n "$daemon" ]; then
		kill "$daemon" 2>/dev/null || true
		wait "$daemon" 2>/dev/null || true
	fi
	# A container that was still running leaves mounts behind.
	awk -v d="$scratch/" 'index($2, d) == 1 { print $2 }' /proc/mounts 2>/dev/null | sort -r | xargs -r -n1 umount -l 2>/dev/null || true
	rm -rf "$scratch" 2>/dev/null || true # a rootless engine has files of other accounts
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The socket of a guard that was killed makes every engine wait 15 seconds at each list
# of volumes.
forget_killed_guard() {
	local socket=/run/docker/plugins/ccdestroy.sock
	[ -S "$socket" ] && ! grep -q " $socket\$" /proc/net/unix || return 0
	say "removing $socket, which a guard left that was killed"
	rm -f "$socket"
}

answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

install_packages() {
	# The command is in docker.io, or in a package of its own in newer releases.
	if ! { "$here/apt.sh" dockerd=docker.io iptables=iptables && "$here/apt.sh" docker=docker-cli; }; then
		say "no Docker Engine answers, and none can be set up"
		say "Try: start your engine, or set DOCKER_HOST"
		exit 1
	fi
}

start_engine() {
	forget_killed_guard
	[ -n "${CCDESTROY_DAEMON:-}" ] || say "no engine answers: starting one of our own under $scratch"
	"${CCDESTROY_DAEMON:-$here/daemon.sh}" "$scratch/engine" >"$scratch/dockerd.log" 2>&1 &
	daemon=$!
	export DOCKER_HOST=unix://$scratch/engine/docker.sock
	unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
	for _ in $(seq 600); do
		answers && return
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.1
	done
	tail -n 20 "$scratch/dockerd.log" >&2
	say "the engine did not start"
	exit 1
}

ensure_compose() {
	local plugin=${CCDESTROY_COMPOSE:-}
	if [ -z "$plugin" ]; then
		docker compose version >/dev/null 2>&1 && return
		plugin=$("$here/build.sh" compose5)
	fi
	# A configuration of our own that adds the plugin to the user's.
	local config=${DOCKER_CONFIG:-$HOME/.docker}
	mkdir -p "$scratch/config/cli-plugins"
	for entry in "$config"/*; do
		[ -e "$entry" ] && [ "$(basename "$entry")" != cli-plugins ] && ln -s "$entry" "$scratch/config/"
	done
	ln -s "$plugin" "$scratch/config/cli-plugins/docker-compose"
	export DOCKER_CONFIG=$scratch/config
	docker compose version >/dev/null
}

if [ -n "${CCDESTROY_DAEMON:-}" ]; then
	start_engine
else
	command -v docker >/dev/null && answers || { install_packages; answers || start_engine; }
fi
ensure_compose
export CCDESTROY_LAB=$here
"$@"
