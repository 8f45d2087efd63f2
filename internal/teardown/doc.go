// Package teardown is the heart of the program: the audited docker compose down.
// It is a record.Deed: package record keeps the order of the steps; decided here are
// what a look shows (Plan), whether to refuse, ask or export, and what the
// evidence afterwards means (Classify). The interfaces that it needs (engine,
// Compose, export, screen) are declared here, beside their consumer.
package teardown
