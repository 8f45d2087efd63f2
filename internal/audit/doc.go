// Package audit keeps the record of destructive operations: a file of one JSON
// object per line, to which lines are only ever added, each of which carries
// the SHA-256 of the line before it.
//
// The grammar of the file, in the order in which it was laid down:
//
//	log    = *line
//	line   = event LF | foreign LF | torn
//	event  = a JSON object with the keys, in this order,
//	         v log seq prev id timestamp operation outcome user
//	         details data_affected export_path
//	foreign = any other line: written by another program, or damaged
//	torn   = a last line without LF: a write that a crash cut short
//
// A real event (one line, folded here):
//
//	{"v":1,"log":"L5X3JV2CK7QZ6YB4M1ATR9D0WE","seq":2,
//	 "prev":"5d0c…64 hex digits…","id":"01KB3Z8A0C4T9Q2M7V5X1B6N8D",
//	 "timestamp":"2026-11-23T17:38:09.123456+00:00",
//	 "operation":"destroy","outcome":"success","user":"ana",
//	 "details":{"project":"shop","mode":"files"},
//	 "data_affected":["shop_pgdata"],"export_path":null}
//
// The last seven keys are those of the Python module whose files this package
// reads and continues. A line that has only them is shown like any other and
// is called unchained: nothing in it says what came before it.
//
// A log can be closed and continued in a new file. It is then a chain of such
// segments, each with a chain of lines of its own; segments.go says how they
// are linked. To readers they are one log.
//
// Readers ignore keys that they do not know. They refuse a line with a higher
// v, with a key twice, or with two keys that differ only in case: two readers
// must never see two different events in one line.
package audit
