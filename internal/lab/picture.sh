#!/usr/bin/env bash
# Makes docs/session.svg from a real run of the demo.
#
#   with-engine.sh picture.sh BINARY
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export CCDESTROY_COLOR=always COMPOSE_PROGRESS=quiet USER=ana
# The directory and the host are this machine's: a picture shows others.
"$here/demo.sh" "$1" 2>&1 | sed -e '1,/^\$ ccdestroy inventory/{/^\$ ccdestroy inventory/!d}' -e '/^\$ ccdestroy audit show/,/^\$ ccdestroy audit verify/{/^\$ ccdestroy audit verify/!d}' \
	-e "s#$(cd "$here/../.." && pwd)#/src/shop#g; s#unix:///[^ ,]*#unix:///var/run/docker.sock#; s#@$(hostname)#@lap#; s#ana@[a-z-]*#ana@lap#" |
	go run "$here/picture" >"$here/../../docs/session.svg.tmp"
mv "$here/../../docs/session.svg.tmp" "$here/../../docs/session.svg"
