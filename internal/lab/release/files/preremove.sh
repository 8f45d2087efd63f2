#!/bin/sh
# Before removing, not before an upgrade: the timer ends. Package managers tell the
# two apart by the first argument: deb "upgrade", rpm 1; the others call this for a
# removal only.
set -e
case "${1:-}" in
upgrade | 1) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
	systemctl disable --now ccdestroy-trash-purge.timer || true
fi
