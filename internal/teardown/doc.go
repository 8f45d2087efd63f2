// Package teardown is the heart of the program: the audited docker compose down.
// It is a deed of package record, which keeps the order; what is decided here is
// what a look shows (Plan), whether to refuse, ask or export, and what the
// evidence afterwards means (Classify). The interfaces that it needs (engine,
// Compose, export, screen) stand here, beside their consumer.
package teardown
