// Command genlog writes a generated audit log to standard output.
//
//	go run ./internal/lab/logs/genlog -bytes 1073741824 -prunes 5 > audit.jsonl
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/contextcore/ccdestroy/internal/lab/logs"
)

func main() {
	var o logs.Options
	flag.Uint64Var(&o.Seed, "seed", 1, "another seed makes another log")
	flag.Int64Var(&o.Bytes, "bytes", 1<<20, "the log is at least so long")
	flag.IntVar(&o.Events, "events", 0, "at most so many events; 0 is no limit")
	flag.IntVar(&o.Prunes, "prunes", 0, "how many operations are a prune")
	flag.Parse()
	if err := logs.Write(os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "genlog:", err)
		os.Exit(1)
	}
}
