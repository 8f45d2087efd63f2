// Package store keeps a copy of audit logs where a machine that is thrown away
// cannot take them with it: in object storage with the S3 API. The file on the
// machine stays the log itself.
//
// Each chained line is an object that holds exactly its bytes, without the LF, so
// that its SHA-256 is the one that the next line names:
//
//	<prefix>/v1/events/day=2026-11-24/20261124T210203.123456Z_<log>_0000000007_<id>_destroy_success_<sum>.json
//
// Key says what the parts are. The last one is the line's SHA-256: two lines never
// share a key, so writing one again changes nothing, and a log that
// went on in two ways (a cache that two runners restored) shows in a listing as two
// sums for one number.
//
// Finished days can be packed, see packKey in key.go.
//
// Objects are only ever created, with If-None-Match: *, and never replaced: what
// writes needs no right to read, to list or to delete.
//
// A Shipper copies the lines of a log to a Sink, from the place that a cursor in the
// state directory has noted. Losing the cursor costs time and changes nothing: a line
// that is already there is recognized by its key.
package store
