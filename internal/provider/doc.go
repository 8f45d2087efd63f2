// Package provider answers Docker Compose as the provider of a service, so that
// a plain docker compose down is recorded, or refused. Compose calls
//
//	ccdestroy compose --project-name=X down [--OPTION=VALUE…] SERVICE
//
// before it removes anything, and reads JSON lines on standard output, to its
// end; "error" makes it stop. Nothing reports what Compose then does: a process that
// is left behind waits for its end, looks, and records the outcome.
// https://github.com/docker/compose/blob/main/docs/extension.md
package provider
