// Package e2e holds the end-to-end tests: the built program against a real
// Docker Engine and a real Compose. `make test` provides both; without them the
// tests are skipped, and say so, and in CI that is a failure.
package e2e
