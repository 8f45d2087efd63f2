// Package command audits any command: it records that the command is about to
// run, runs it, looks at what it was said to destroy, and records how it ended.
package command
