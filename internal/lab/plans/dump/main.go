// Dump prints, as JSON, what ccdestroy would plan a docker compose down with
// these arguments from:
//
//	dump [Compose's flags] down [down's flags] [SERVICE...]
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/contextcore/ccdestroy/internal/compose"
	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/lab/plans"
)

func main() {
	if err := dump(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func dump(ctx context.Context) error {
	call, ok := compose.ParseDown(append([]string{"docker-compose", "compose"}, os.Args[1:]...))
	if !ok {
		return fmt.Errorf("%q is no down", os.Args[1:])
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	child := compose.Compose{Args: call.Args, Env: os.Environ(), Dir: dir, Stdin: os.Stdin, Stdout: os.Stderr, Stderr: os.Stderr}
	var c plans.Case
	c.Options = inventory.Options{Volumes: call.Args.Volumes, Images: call.Args.Images, RemoveOrphans: compose.Bool(os.Getenv("COMPOSE_REMOVE_ORPHANS"))}
	if given := call.Args.RemoveOrphans; given != nil {
		c.Options.RemoveOrphans = *given
	}
	if c.Model, err = child.Model(ctx); err != nil {
		return err
	}
	client, err := engine.Connect(engine.Address{Env: os.Getenv})
	if err != nil {
		return err
	}
	defer client.Close()
	c.Snapshot, err = client.Snapshot(ctx, inventory.Scope{Images: c.Options.Images != "", Project: c.Model.Project})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(c)
}
