#!/usr/bin/env bash
# Installs what tests use beside an engine. Without one of these some tests are
# skipped; where CI is set, they fail.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
"$here/apt.sh" strace=strace mkfs.ext4=e2fsprogs python3=python3 jq=jq groff=groff chromium=chromium less=less zstd=zstd pkill=procps zsh=zsh fish=fish \
	git=git debootstrap=debootstrap rpm=rpm pacman=pacman-package-manager node=nodejs haproxy=haproxy ip=iproute2 systemd-nspawn=systemd-container iptables=iptables \
	gcc=gcc g++=g++ || true
# groovy goes by the path of the default Java, whatever other one is there.
"$here/apt.sh" /usr/lib/jvm/default-java/bin/java=default-jre-headless groovy=groovy || true
