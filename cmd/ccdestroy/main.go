// Command ccdestroy is an audited `docker compose down -v`.
package main

import (
	"os"
	"runtime/debug"

	"github.com/contextcore/ccdestroy/internal/cli"
)

// gcPercent lets the heap of a process that lives for a second grow before it
// is swept: a tenth of our own time, for a few megabytes. GOGC overrides it.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(cli.Main(cli.ThisProcess()))
}
