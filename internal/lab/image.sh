#!/usr/bin/env bash
# Makes sure that the engine has a small image with a shell, and prints its name:
# the one that compose.yaml names where it is there or can be pulled, else one
# made of the static busybox of Debian, without any registry.
set -euo pipefail
public=busybox:1.36
made=ccdestroy-lab:busybox
have() { docker image inspect "$1" >/dev/null 2>&1; }
if [ "${1:-}" = demo ]; then
	if have $public || timeout 20 docker pull --quiet $public >/dev/null 2>&1; then
		echo $public
		exit
	fi
fi
if ! have $made; then
	busybox=$(command -v busybox || true)
	if [ -z "$busybox" ] || ldd "$busybox" >/dev/null 2>&1; then
		"$(dirname "${BASH_SOURCE[0]}")/apt.sh" no-such-command=busybox-static
		hash -r
		busybox=$(command -v busybox)
	fi
	root=$(mktemp -d)
	trap 'rm -rf "$root"' EXIT
	mkdir "$root/bin" "$root/tmp" "$root/etc"
	cp "$busybox" "$root/bin/busybox"
	for applet in $("$busybox" --list); do ln -s busybox "$root/bin/$applet" 2>/dev/null || true; done
	tar -C "$root" -c . | docker import \
		--change 'ENV PATH=/bin' --change 'CMD ["sh", "-c", "trap exit TERM INT; sleep infinity & wait"]' \
		- $made >/dev/null
	echo "lab: made the image $made from busybox-static" >&2
fi
echo $made
