#!/usr/bin/env bash
# Runs a command with one of the matrix's engines at hand, which is started for it
# and is gone afterwards with all that it held.
#
#   with.sh ENGINE COMMAND [ARG...]
#
# Needs root on Debian or Ubuntu. Exit 77 says that this machine cannot run the
# engine; the last line on standard error says why.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab=$(dirname "$here")
engine=$1
shift

cannot() { echo "SKIPPED: $*" >&2 && exit 77; }
[ "$(id -u)" = 0 ] || cannot "the matrix needs root"

"$lab/apt.sh" dockerd=docker.io iptables=iptables
"$lab/apt.sh" docker=docker-cli # where it is not in docker.io
export CCDESTROY_ENGINE=$engine CCDESTROY_DAEMON=$lab/daemon.sh CCDESTROY_DAEMON_FLAGS= CCDESTROY_ROUTE=
CCDESTROY_COMPOSE=$("$lab/build.sh" compose5)

engine29() { PATH=$("$lab/build.sh" engine29):$PATH; }
case $engine in
debian) ;;
engine29)
	engine29
	CCDESTROY_DAEMON_FLAGS="--storage-driver overlay2"
	;;
containerd)
	engine29
	CCDESTROY_DAEMON_FLAGS="--feature containerd-snapshotter=true"
	CCDESTROY_COMPOSE=$("$lab/build.sh" compose2)
	;;
ssh | ssh-context)
	"$lab/apt.sh" ssh=openssh-client /usr/sbin/sshd=openssh-server
	CCDESTROY_ROUTE=$engine
	;;
tls | tls-context) CCDESTROY_ROUTE=$engine ;;
podman)
	"$lab/apt.sh" podman=podman
	CCDESTROY_DAEMON=$here/podman.sh
	;;
rootless)
	"$lab/apt.sh" rootlesskit=rootlesskit slirp4netns=slirp4netns newuidmap=uidmap
	unshare --user true 2>/dev/null || cannot "no user namespaces here"
	engine29
	export CCDESTROY_COMPOSE
	exec unshare --mount --propagation private "$here/account.sh" "$lab/with-engine.sh" "$@"
	;;
*) echo "no engine is called $engine" >&2 && exit 2 ;;
esac
export CCDESTROY_COMPOSE
exec "$lab/with-engine.sh" "$@"
