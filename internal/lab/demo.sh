#!/usr/bin/env bash
# The demo: the stack of compose.yaml, from up to the audit history.
#
#   with-engine.sh demo.sh BINARY
set -euo pipefail
ccdestroy=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
SHOP_IMAGE=$(internal/lab/image.sh demo)
export SHOP_IMAGE
# Heads are noted by the path of the log: those of a clone that lay here before are
# of another one.
export XDG_STATE_HOME=$PWD/bin/demo-state

# On an engine that is not ours a stack called shop may be somebody's.
if [ -n "$(docker ps --all --quiet --filter label=com.docker.compose.project=shop)$(docker volume ls --quiet --filter label=com.docker.compose.project=shop)" ]; then
	echo "demo: this engine has a project called shop already; it is left alone" >&2
	echo "Try: docker compose ls --all" >&2
	exit 1
fi

run() {
	printf '\n$'
	for word in "$@"; do
		case $word in *' '*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
	done
	printf '\n'
	"$@"
}
# The name is what it would be on the PATH.
ccdestroy() { "$ccdestroy" "$@"; }

run docker compose up --detach --quiet-pull 2>&1 | grep -v Creating
sleep 2 # some orders come in
run ccdestroy inventory
run ccdestroy --reason "end of the demo"
run ccdestroy audit -n 20
id=$(ccdestroy audit -n 1 --format json | sed -n 's/^ *"id": "\(.*\)",$/\1/p' | head -n 1)
run ccdestroy audit show "$id"
run ccdestroy audit verify
