// Command genyear makes a store of sealed days in a directory, and prints the public
// key of its seals.
//
//	go run ./internal/lab/year/genyear -days 365 -events 10000 data/BUCKET/PREFIX
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/year"
	"github.com/contextcore/ccdestroy/internal/store"
)

func main() {
	o := year.Options{First: time.Date(2025, 11, 24, 0, 0, 0, 0, time.UTC)}
	flag.IntVar(&o.Days, "days", 365, "so many days from 2025-11-24 on")
	flag.IntVar(&o.Events, "events", 10000, "events of a day")
	flag.BoolVar(&o.Loose, "loose", false, "write the objects of the events, and seal nothing")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: genyear [-days N] [-events N] [-loose] DIRECTORY")
		os.Exit(2)
	}
	if err := generate(o); err != nil {
		fmt.Fprintln(os.Stderr, "genyear:", err)
		os.Exit(1)
	}
}

func generate(o year.Options) error {
	private, public, err := store.NewSigningKey("audit.example.com")
	if err != nil {
		return err
	}
	if o.Key, err = store.ParseSigningKey(private); err != nil {
		return err
	}
	o.Dir = flag.Arg(0)
	if err := year.Write(context.Background(), o); err != nil {
		return err
	}
	fmt.Println(public)
	return nil
}
