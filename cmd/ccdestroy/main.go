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

func main() { os.Exit(run()) }

func run() int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if !cli.IsPlugin(os.Args[0]) {
		return cli.Main(cli.ThisProcess())
	}
	if cli.PluginMetadata(os.Args[1:], os.Stdout) {
		return 0
	}
	p, err := cli.ThisProcess().AsPlugin()
	if err != nil {
		return cli.Complain(p, err)
	}
	return cli.Main(p)
}
