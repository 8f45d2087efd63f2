package cli

import (
	"context"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
)

type reconcileCmd struct {
	Force bool `fixed:"" help:"Also settle operations that may still be running: those of older versions, and those whose lock file is gone."`
	engineFlags
	recordFlags
}

// Run settles what can be settled; it exits 1 when something stays unfinished.
func (c reconcileCmd) Run(ctx context.Context, p Process, code *int) error {
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	book, err := p.bookHere(c.recordFlags, client, 0)
	if err != nil {
		return err
	}
	var done record.Reconciled
	sig, err := fault.Guard(ctx, p.Signals, func(ctx context.Context) (err error) {
		done, err = book.Reconcile(ctx, c.Force)
		return err
	})
	if sig != nil {
		return fault.StoppedBy(sig, "what is not settled stays unfinished")
	}
	if err != nil {
		return record.ReadFault(err, book.Log)
	}
	for _, err := range done.Obstacles {
		p.note(err.Error())
		*code = fault.ExitFailed
	}
	if done.Settled+done.Left+len(done.Obstacles) == 0 {
		p.say("Nothing is unfinished in %s", book.Log.Path)
	}
	return nil
}
