// Command ccdestroy is an audited `docker compose down -v`.
package main

import (
	"os"

	"github.com/contextcore/ccdestroy/internal/cli"
)

func main() { os.Exit(cli.Main(cli.ThisProcess())) }
