#!/usr/bin/env bash
# Runs compiled end-to-end tests on the engine at hand.
#
#   with.sh ENGINE tests.sh BINARY [FLAG...]
set -euo pipefail
lab=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CCDESTROY_IMAGE=$("$lab/image.sh")
export CCDESTROY_IMAGE
cd "$lab/../e2e"
exec "$@"
