#!/usr/bin/env bash
# Every test, with the engine that with-engine.sh found or started. Of tests
# that pass, what they counted is shown; skipped ones are not hidden.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Without these some tests are skipped; where CI is set, they fail.
internal/lab/apt.sh strace=strace mkfs.ext4=e2fsprogs python3=python3 jq=jq groff=groff chromium=chromium less=less zstd=zstd pkill=procps zsh=zsh fish=fish haproxy=haproxy ip=iproute2 iptables=iptables || true
CCDESTROY_IMAGE=$(internal/lab/image.sh)
export CCDESTROY_IMAGE
# Four at a time suits two cores: most of the time a test waits for the engine.
run() { go test -v -count=1 -parallel 4 -timeout 60m "$@" | grep --line-buffered -vE '^(=== |PASS$|ok .*no test|\?)|^ *--- PASS'; }
run ./...
# The same teardowns with docker between ccdestroy and the Compose plugin.
CCDESTROY_THROUGH=docker run -run '^Test(Differential|SignalWithoutTerminal|SignalOnTerminal|SecondSignalIsPassedOn)$' ./internal/e2e
