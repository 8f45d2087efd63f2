#!/bin/sh
# Logs, settings, exports and what is kept for undo stay, also when the package is
# purged: an audit log outlives the program that wrote it.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
