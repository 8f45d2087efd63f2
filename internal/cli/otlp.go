package cli

import (
	"context"
	"fmt"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/otlp"
)

// otlpFlags say where the events of the log are sent as log records. Headers are
// secrets, and so are in a file: command lines are recorded and shown.
type otlpFlags struct {
	OTLP            string `name:"otlp" placeholder:"URL" group:"ccdestroy" help:"Send the log to an OpenTelemetry Collector as well, over OTLP/HTTP: https://HOST:4318, or env for what the OTEL_EXPORTER_OTLP_ variables say."`
	OTLPHeadersFile string `name:"otlp-headers-file" placeholder:"FILE" completion-predictor:"file" group:"ccdestroy" help:"File with headers to send along, such as a token: a NAME: VALUE a line."`
}

// otlp opens an endpoint.
func (p Process) otlp(f otlpFlags) (*otlp.Endpoint, error) {
	file := f.OTLPHeadersFile
	if file != "" {
		file = p.abs(file)
	}
	e, err := otlp.Open(f.OTLP, file, p.Getenv)
	if err != nil {
		return nil, fault.Usage("docs/otlp.md", "--otlp: %w", err)
	}
	e.Note = p.note
	return e, nil
}

// otlp checks whether records can be sent, without sending one.
func (d *doctor) otlp(ctx context.Context, f otlpFlags) {
	if f.OTLP == "" {
		return
	}
	e, err := d.p.otlp(f)
	if err != nil {
		d.must("otlp", err, "", "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	if err = e.Probe(ctx); err != nil {
		err = fmt.Errorf("%s: %w", e.Name(), err)
	}
	d.must("otlp", err, e.Name()+" takes logs", "docs/otlp.md")
	if e.Bare() {
		d.add("otlp", "warn", "the headers go to "+e.Name()+" unencrypted", "https://")
	}
}
