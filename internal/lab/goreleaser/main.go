// Command goreleaser reads a configuration as goreleaser itself does and fails on
// what goreleaser would not know. It is the part of `goreleaser check` that needs
// neither the whole of goreleaser nor a minute to build it.
//
//	go run -C internal/lab/goreleaser . ../../../.goreleaser.yaml
package main

import (
	"fmt"
	"os"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
)

func main() {
	for _, path := range os.Args[1:] {
		project, err := config.Load(path)
		if err == nil && (project.Version != 2 || len(project.Signs) == 0 || len(project.Release.ExtraFiles) == 0) {
			err = fmt.Errorf("it is not version 2, or signs or publishes nothing")
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "goreleaser: %s: %v\n", path, err)
			os.Exit(1)
		}
	}
}
