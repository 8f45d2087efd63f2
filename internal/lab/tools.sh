#!/usr/bin/env bash
# Installs what tests use beside an engine. Without one of these some tests are
# skipped; where CI is set, they fail.
set -euo pipefail
"$(dirname "${BASH_SOURCE[0]}")/apt.sh" strace=strace mkfs.ext4=e2fsprogs python3=python3 jq=jq groff=groff chromium=chromium less=less zstd=zstd pkill=procps zsh=zsh fish=fish || true
