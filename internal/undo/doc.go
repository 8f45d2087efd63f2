// Package undo brings back what a teardown or a prune has set aside, and ends it
// for good. Both are operations like any other: recorded before anything is
// moved, and settled by whoever comes next where they were cut off.
package undo
