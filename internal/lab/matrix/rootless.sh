#!/usr/bin/env bash
# Runs a rootless Docker Engine in the foreground, as daemon.sh does one of root's.
#
#   rootless.sh DIR
set -euo pipefail
dir=$1
mkdir -p "$dir/run"
export XDG_RUNTIME_DIR=$dir/run
export DOCKERD_ROOTLESS_ROOTLESSKIT_NET=slirp4netns DOCKERD_ROOTLESS_ROOTLESSKIT_MTU=1500
exec /usr/share/docker.io/contrib/dockerd-rootless.sh \
	--data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/docker.pid" \
	--host "unix://$dir/docker.sock" --exec-opt native.cgroupdriver=cgroupfs \
	${CCDESTROY_DAEMON_FLAGS:-}
