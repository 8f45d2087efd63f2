#!/usr/bin/env bash
# Runs a Docker Engine of our own in the foreground, with everything it has
# under DIR and its socket at DIR/docker.sock: the dockerd on the PATH, with the
# flags of CCDESTROY_DAEMON_FLAGS.
#
#   daemon.sh DIR [FLAG OF DOCKERD...]
#
# The network namespace of its own is what keeps it from deleting the bridge and
# the firewall rules of another engine on this machine; the containerd names are
# for the case that both share a containerd.
set -euo pipefail
dir=$1
shift
name=ccdestroy-$(basename "$(dirname "$dir")")-$$
mkdir -p "$dir"
exec unshare --net -- sh -c 'ip link set lo up 2>/dev/null; exec "$@"' daemon \
	dockerd --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/docker.pid" \
	--host "unix://$dir/docker.sock" \
	--containerd-namespace "$name" --containerd-plugins-namespace "$name-plugins" \
	${CCDESTROY_DAEMON_FLAGS:-} "$@"
