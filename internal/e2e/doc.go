// Package e2e holds the end-to-end tests: the built program against a real
// Docker Engine and a real Compose. `make test` provides both; without them the
// tests are skipped, and say so, and in CI that is a failure.
//
// Files are called after what they test; what several need is in harness files.
// Most tests run beside each other: each has a project of its own, or an engine.
// What is to be killed is killed in a phase that can be seen of it (phase), not by
// the clock. `go test -short` runs a dozen tests that show most.
//
// TestMovingWorld takes -operations, and the -seed that a failure tells:
//
//	go test -run TestMovingWorld ./internal/e2e -operations 1000 -seed 7
package e2e
