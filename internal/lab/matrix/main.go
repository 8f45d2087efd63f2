// Command matrix runs the end-to-end tests on every engine that ccdestroy is made
// for, several side by side, and prints which feature works where:
//
//	go run ./internal/lab/matrix [-quick] [-engines debian,podman] [-write docs/engines.md]
//
// It needs root on Debian or Ubuntu. A test or an engine that cannot run is told
// with the reason. Where CI is set that is a failure, unless CCDESTROY_MATRIX_SKIPS
// has a line "ENGINE[,ENGINE...]: REASON" for it.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

func main() {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "run a dozen telling tests on each engine")
	flag.StringVar(&o.only, "engines", "", "run these engines, `NAME,NAME`, not all")
	flag.StringVar(&o.write, "write", "", "put the table into this `FILE`, between its marks")
	flag.IntVar(&o.atOnce, "at-once", 3, "how many engines run side by side")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

type options struct {
	quick       bool
	only, write string
	atOnce      int
	dir         string // has the binaries, and can be read by other accounts
}

func (o options) run() (err error) {
	if o.dir, err = os.MkdirTemp("/tmp", "ccdestroy-matrix-*"); err != nil {
		return err
	}
	defer os.RemoveAll(o.dir)
	if err := os.Chmod(o.dir, 0o755); err != nil {
		return err
	}
	if err := o.build(); err != nil {
		return err
	}
	rows := make([]row, 0, len(engines))
	for _, e := range engines {
		if o.only == "" || slices.Contains(strings.Split(o.only, ","), e.name) {
			rows = append(rows, row{engine: e})
		}
	}
	var work errgroup.Group
	work.SetLimit(o.atOnce)
	for _, slow := range []bool{true, false} {
		for i := range rows {
			if rows[i].slow == slow {
				work.Go(func() error { rows[i].run(o); return nil })
			}
		}
	}
	_ = work.Wait() // each row has its own errors
	return o.conclude(rows)
}

// build makes what all engines share: the engines and plugins themselves, too, so
// that no two of them build the same.
func (o options) build() error {
	for _, command := range [][]string{
		{"internal/lab/tools.sh"},
		{"internal/lab/build.sh", "compose5"}, {"internal/lab/build.sh", "compose2"}, {"internal/lab/build.sh", "engine29"},
		{"go", "build", "-o", filepath.Join(o.dir, "ccdestroy"), "./cmd/ccdestroy"},
		{"go", "test", "-c", "-o", filepath.Join(o.dir, "e2e.test"), "./internal/e2e"},
	} {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Env, cmd.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%q: %w", command, err)
		}
	}
	return nil
}

// conclude tells what came of it. An error says that not all is well.
func (o options) conclude(rows []row) error {
	bad := 0
	for _, r := range rows {
		bad += r.tell(os.Stdout)
	}
	fmt.Print("\n", table(rows))
	if o.write != "" {
		if err := putInto(o.write, table(rows)); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d failures", bad)
	}
	return nil
}
