#!/usr/bin/env bash
# Runs Podman's Docker socket in the foreground, as daemon.sh runs an engine.
#
#   podman.sh DIR
set -euo pipefail
dir=$1
mkdir -p "$dir/networks"
# Podman asks for more processes and files than some machines allow.
cat >"$dir/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
static_dir = "$dir/data/libpod"
volume_path = "$dir/data/volumes"
tmp_dir = "$dir/exec/tmp"
[network]
network_config_dir = "$dir/networks"
CONF
export CONTAINERS_CONF=$dir/containers.conf
podman=(podman --root "$dir/data" --runroot "$dir/exec" --cgroup-manager cgroupfs)
unshare --net -- sh -c 'ip link set lo up 2>/dev/null; exec "$@"' podman \
	"${podman[@]}" system service --time 0 "unix://$dir/docker.sock" &
service=$!
# Its containers would outlive it, which those of an engine do not.
finish() {
	trap - TERM INT
	"${podman[@]}" rm --all --force --time 0 >/dev/null 2>&1 || true
	kill $service 2>/dev/null || true
	wait $service || true
	# The monitor of a container that was made and never started waits for its start.
	pkill -KILL -f "^[^ ]*conmon .*$dir/data/" || true
	exit 0
}
trap finish TERM INT
wait $service
