// Package fault holds what ends a command early and how: errors with what to
// try, the program's exit codes, and signals.
package fault
