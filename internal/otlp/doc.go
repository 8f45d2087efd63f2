// Package otlp sends the events of a log to an OpenTelemetry Collector, or to whatever
// else takes logs as JSON over OTLP/HTTP: it posts to ENDPOINT/v1/logs, compressed.
//
// Each chained line is one LogRecord:
//
//	timeUnixNano          of the event
//	observedTimeUnixNano  when it is sent
//	severityNumber, Text  17 ERROR failed, 13 WARN partial, 9 INFO any other outcome
//	eventName             ccdestroy.<operation>
//	body                  the line itself, a string
//	attributes            log.record.uid, and what record.go lists
//
// below a resource with service.name, service.version and host.name, the two of them
// being those of the event: a log of another machine keeps its host.
//
// log.record.uid is the head of the line, log:seq:sha256. Lines are sent at least once:
// a line whose answer was lost is sent again, with the same uid. The body's SHA-256 is
// the last part of it, and audit verify --head takes it as it is.
//
// An Endpoint is a Sink of package store, whose Shipper keeps the cursor. It promises
// nothing before a deed: a collector answers before a record is anywhere durable.
package otlp
