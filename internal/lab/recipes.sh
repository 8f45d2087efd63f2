#!/usr/bin/env bash
# Takes the GitHub workflows out of docs/ci.md, and has actionlint look at them and
# at our own, and goreleaser's reader at its configuration; checks the Terraform of
# docs/store.tf.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
awk -v dir="$dir" '/^```yaml/ { in_block = 1; next } /^```/ { in_block = 0; file = "" }
	in_block && file == "" && /^# \.github\/workflows\// { n++; file = dir "/" n ".yaml" }
	in_block && file != "" { print > file }' "$here/../../docs/ci.md"
ls "$dir"/*.yaml >/dev/null
go build -C "$here/lint" -o "$here/../../bin/actionlint" github.com/rhysd/actionlint/cmd/actionlint
"$here/../../bin/actionlint" -no-color "$dir"/*.yaml "$here"/../../.github/workflows/*.yaml
go run -C "$here/goreleaser" . ../../../.goreleaser.yaml
# The Terraform of docs/store.tf parses, and is formatted.
go build -C "$here/lint" -o "$here/../../bin/hclfmt" github.com/hashicorp/hcl/v2/cmd/hclfmt
"$here/../../bin/hclfmt" "$here/../../docs/store.tf" | diff - "$here/../../docs/store.tf"
