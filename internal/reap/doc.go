// Package reap tears down the Compose projects of an engine that are over: those
// that are older than they may become. Which they are is decided by Due, a pure
// function over a snapshot; each is then torn down as an operation of its own, by
// the same flow as any teardown, several at a time.
package reap
