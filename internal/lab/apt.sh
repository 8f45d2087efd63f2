#!/usr/bin/env bash
# Installs the Debian packages of commands (or files, by their absolute paths)
# that are missing, without letting them start any service.
#
#   apt.sh COMMAND=PACKAGE...
set -euo pipefail
wanted=()
for pair in "$@"; do
	wants=${pair%%=*}
	[[ $wants == /* && -e $wants ]] || command -v "$wants" >/dev/null || wanted+=("${pair#*=}")
done
[ ${#wanted[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "lab: missing: ${wanted[*]}; they can be installed here only as root on Debian or Ubuntu" >&2
	exit 1
fi
exec 9>/tmp/ccdestroy-apt.lock
flock 9 # several scripts install side by side
echo "lab: installing with apt: ${wanted[*]}" >&2
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
ours=
trap 'rm -f "$log"; [ -z "$ours" ] || rm -f $policy' EXIT
if [ ! -e $policy ]; then
	ours=1
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod +x $policy
fi
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${wanted[@]}"; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "lab: apt could not install ${wanted[*]}" >&2
	exit 1
fi
