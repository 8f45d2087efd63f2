// Package watch follows an engine and records every volume that is destroyed
// without a record of ours.
//
//	engine's events -> Watch: what went -> Records: does a log tell of it? -> log
//
// Watch keeps a list of the existing volumes, so that it can say what one
// was when it is gone, and what was destroyed while the engine could not be followed. The
// list outlives the process in a file, Memory: the time until the next start is a
// gap like any other.
//
// A volume that an operation of ours may be destroying is not recorded before
// that operation has ended: its outcome accounts for it, or does not. If an operation
// will have no outcome, the record says that it may have destroyed the volume.
package watch
