// Package record is the life of an operation, whatever it does:
//
//	open -> lock -> settle -> look -> agree -> look again -> pending event, durable -> act -> outcome
//
// Life keeps this order once for all operations; a Deed is what differs. Every
// event of an operation is written by an Operation. Without a durable pending
// event nothing is destroyed.
//
// Beside a log lies the directory "<log>.ops" with two kinds of lock files. One
// is named after the id of an operation and locked for as long as it runs:
// an unfinished operation whose lock can be taken is dead, and only then is it
// settled. The other is named after an engine and a project: one operation at a
// time changes a project. Both are inherited by the child process, so that a
// Compose that outlives a killed ccdestroy still counts as running.
package record
