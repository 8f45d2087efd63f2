// Package undo brings back what a teardown or a prune has set aside, and deletes it
// for good. Both are operations like any other: recorded before anything is
// moved, and settled by the next command if they were interrupted.
package undo
