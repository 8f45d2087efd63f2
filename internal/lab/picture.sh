#!/usr/bin/env bash
# Makes docs/session.svg from a real run: the shop of compose.yaml is torn down while
# a container that is not of it holds a volume, and brought back.
#
#   with-engine.sh picture.sh BINARY
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d)
if [ -n "$(docker ps --all --quiet --filter label=com.docker.compose.project=shop --filter name='^psql-debug$')$(docker volume ls --quiet --filter label=com.docker.compose.project=shop)" ]; then
	echo "picture: this engine has a project called shop already; it is left alone" >&2
	exit 1
fi
finish() {
	docker rm --force psql-debug >/dev/null 2>&1 || true
	(cd "$scratch/shop" && docker compose down --volumes) >/dev/null 2>&1 || true
	(cd "$scratch/shop" && "$scratch/bin/ccdestroy" trash purge --yes "$(cat "$scratch/id")") >/dev/null 2>&1 || true
	rm -rf "$scratch"
}
trap finish EXIT
SHOP_IMAGE=$("$here/image.sh" demo)
export SHOP_IMAGE
mkdir -p "$scratch/shop/docs" "$scratch/bin"
cp "$root/compose.yaml" "$scratch/shop/"
install -m 0755 "$(realpath "$1")" "$scratch/bin/ccdestroy"
(cd "$root" && go build -o "$scratch/bin/picture" ./internal/lab/picture)
cd "$scratch/shop"
# Neither the account's settings nor a CI system's: a person at a terminal.
unset CI GITHUB_ACTIONS GITLAB_CI
export PATH=$scratch/bin:$PATH XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config CCDESTROY_COLOR=always CCDESTROY_NO_PAGER=true COMPOSE_PROGRESS=quiet USER=ana TERM=xterm-256color
case ${DOCKER_HOST:-} in unix://*) # under a name as short as the usual one
	ln -s "${DOCKER_HOST#unix://}" "$scratch/d.sock"
	export DOCKER_HOST=unix://$scratch/d.sock
	;;
esac
docker compose up --detach --quiet-pull
docker run --detach --name psql-debug --volume shop_orders:/orders "$SHOP_IMAGE" >/dev/null
sleep 2 # some orders come in
{
	picture -run ccdestroy
	ccdestroy audit -n 1 --format json | sed -n 's/^ *"id": "\(.*\)",$/\1/p' | head -n 1 >"$scratch/id"
	picture -run ccdestroy undo
	picture -run ccdestroy audit
} | sed -e "s#$scratch/shop#/src/shop#g; s#unix:///[^ ,]*[.]sock#unix:///var/run/docker.sock#g; s#@$(hostname)#@lap#g; s#ana@[a-z-]*#ana@lap#g" >"$scratch/session"
picture <"$scratch/session" >"$root/docs/session.svg.tmp"
mv "$root/docs/session.svg.tmp" "$root/docs/session.svg"
cat "$scratch/session"
