// Package reap tears down the Compose projects of an engine that have expired: those
// that are older than their limit. Due decides which they are, a pure
// function over a snapshot; each is then torn down as an operation of its own, by
// the same flow as any teardown, several at a time.
package reap
