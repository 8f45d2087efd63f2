// Package cli is the command line: the grammar, the wiring of the other
// packages, and the exit codes. It alone touches arguments, environment,
// standard streams and signals.
//
// What goes where: stdout carries results (inventory, history, JSON) and what
// Compose itself prints there; stderr carries talk (what is about to happen,
// questions, complaints, the end of a teardown). Complaints are two lines: what
// is wrong, with the thing named, and "Try: …".
package cli
