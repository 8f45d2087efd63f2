// Package render writes what people and programs read: inventories, the end of
// a teardown, the history, as tables and as JSON.
//
// Everything that comes from outside (names, labels, users, reasons, error
// text) passes through Terminal before it reaches a terminal: a volume label
// must not be able to move the cursor, hide a line or fill the clipboard.
package render
