#!/usr/bin/env bash
# Every test, with the engine that with-engine.sh found or started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
CCDESTROY_IMAGE=$(internal/lab/image.sh)
export CCDESTROY_IMAGE
go test -count=1 -timeout 25m ./...
