// Package export saves volumes and brings them back: it chooses the way in which
// each is read or written, stops what would write to them in the meantime, and verifies the
// result.
//
// A volume whose files this host can look at, as root, is read and written
// directly, several at once. Every other one, of whatever driver and on whatever
// engine, goes through the engine's archive API and a helper container that is
// never started. The files themselves are the business of package archive.
package export
