#!/usr/bin/env bash
# Runs a command as an ordinary user who exists in this mount namespace alone, and
# may use what a rootless engine takes.
#
#   unshare --mount --propagation private account.sh COMMAND [ARG...]
#
# The machine keeps its accounts and its devices as they are: what differs is
# mounted over them, here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../../.." && pwd)
name=ccdestroy id=60500
dir=$(mktemp -d /tmp/ccd.XXXX) # short: a socket's path may have 108 bytes
finish() {
	code=$?
	trap - EXIT
	umount -l "$dir/repo" "$dir/cache" 2>/dev/null || true
	find /tmp -maxdepth 1 -user $id -exec rm -rf {} + # files of the engine's other accounts, too
	rm -rf --one-file-system "$dir"
	exit $code
}
trap finish EXIT

chmod 755 "$dir"
mkdir "$dir/repo" "$dir/cache" "$dir/home"
over() { # over FILE LINE: as it is, with a line more
	{ [ ! -e "$1" ] || cat "$1"; echo "$2"; } >"$dir/$(basename "$1")"
	[ -e "$1" ] || : >"$1"
	mount --bind "$dir/$(basename "$1")" "$1"
}
over /etc/passwd "$name:x:$id:$id::$dir/home:/bin/sh"
over /etc/group "$name:x:$id:"
over /etc/subuid "$name:2000000:65536"
over /etc/subgid "$name:2000000:65536"
# slirp4netns needs it.
mknod -m 666 "$dir/tun" c 10 200
[ -e /dev/net/tun ] || { mkdir -p /dev/net && mknod -m 600 /dev/net/tun c 10 200; }
mount --bind "$dir/tun" /dev/net/tun
# What lies below /root can be read here.
cache=$(dirname "$CCDESTROY_COMPOSE")
mount --bind "$repo" "$dir/repo"
mount --bind "$cache" "$dir/cache"
chown -R $id:$id "$dir/home"
reachable() { sed -e "s#$repo#$dir/repo#g" -e "s#$cache#$dir/cache#g" <<<"$1"; }

PATH=$(reachable "$PATH") CCDESTROY_COMPOSE=$(reachable "$CCDESTROY_COMPOSE")
export HOME=$dir/home USER=$name CCDESTROY_DAEMON=$dir/repo/internal/lab/matrix/rootless.sh
unset XDG_CACHE_HOME XDG_STATE_HOME XDG_CONFIG_HOME DOCKER_CONFIG
cd "$(reachable "$PWD")"
command=()
for word in "$@"; do command+=("$(reachable "$word")"); done
setpriv --reuid=$id --regid=$id --clear-groups --inh-caps=-all "${command[@]}"
