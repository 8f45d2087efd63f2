// Package watch follows an engine and records every volume that is destroyed
// without a record of ours. It keeps a list of the volumes that there are, so
// that it can say what one was when it is gone, and what went while the engine
// could not be followed.
package watch
