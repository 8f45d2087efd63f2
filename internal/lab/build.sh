#!/usr/bin/env bash
# Builds what the lab cannot get from Debian from its source, once per version,
# into the user's cache, and prints where it is.
#
#   build.sh compose5|compose2    a Compose plugin
#   build.sh engine29             a directory with dockerd, docker-proxy and runc
#
# The versions stand in the modules beside this script.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ccdestroy
mkdir -p "$cache"

version() { awk -v m="$2" '$1 == m { print $2; exit }' "$here/$1/go.mod"; }

# build MODULE PACKAGE FILE [FLAG...]: a run that is cut off leaves no FILE.
build() {
	local module=$1 package=$2 file=$3
	shift 3
	echo "lab: building $package into $cache (minutes, once)" >&2
	go build -C "$here/$module" -trimpath "$@" -o "$file.tmp" "$package"
	mv "$file.tmp" "$file"
}

compose() {
	local module=$1 package=$2
	local v file
	v=$(version "$module" "$package")
	file=$cache/docker-compose-$v
	[ -x "$file" ] || CGO_ENABLED=0 build "$module" "$package/cmd" "$file" -ldflags "-s -w -X $package/internal.Version=$v"
	echo "$file"
}

engine29() {
	local moby=github.com/moby/moby/v2 runc=github.com/opencontainers/runc
	local v dir
	v=$(version engine29 $moby)
	dir=$cache/engine-$v-runc-$(version runc $runc)
	mkdir -p "$dir"
	[ -x "$dir/dockerd" ] || CGO_ENABLED=0 build engine29 $moby/cmd/dockerd "$dir/dockerd" -ldflags "-s -w -X $moby/dockerversion.Version=29.0.0-moby-$v"
	[ -x "$dir/docker-proxy" ] || CGO_ENABLED=0 build engine29 $moby/cmd/docker-proxy "$dir/docker-proxy" -ldflags '-s -w'
	if [ ! -x "$dir/runc" ]; then # the Engine's default profile needs seccomp, and that needs C
		"$here/apt.sh" gcc=gcc pkg-config=pkg-config /usr/include/seccomp.h=libseccomp-dev /usr/include/stdlib.h=libc6-dev
		CGO_ENABLED=1 build runc $runc "$dir/runc" -tags seccomp -ldflags "-s -w -X main.version=$(version runc $runc | tr -d v)"
	fi
	echo "$dir"
}

case ${1:-} in
compose5) compose compose github.com/docker/compose/v5 ;;
compose2) compose compose2 github.com/docker/compose/v2 ;;
engine29) engine29 ;;
*) echo "usage: build.sh compose5|compose2|engine29" >&2 && exit 2 ;;
esac
