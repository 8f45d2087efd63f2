package cli

import (
	"context"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/watch"
)

type watchCmd struct {
	OtherLog []string `fixed:"" sep:"none" placeholder:"FILE" completion-predictor:"file" help:"Further log that may already record a deletion. Repeatable."`
	engineFlags
	recordFlags
}

// Run watches until it is stopped.
func (c watchCmd) Run(ctx context.Context, p Process) error {
	client, err := p.connect(c.engineFlags)
	if err != nil {
		return err
	}
	defer client.Close()
	book, err := p.bookHere(c.recordFlags, nil, 0)
	if err != nil {
		return err
	}
	err = p.before(ctx, "nothing was recorded", func(ctx context.Context) error { return book.Check(ctx, "watch") })
	if err != nil {
		return err
	}
	release, err := watch.Hold(book)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		<-p.Signals
		cancel()
	}()
	records := &watch.Records{Book: book, Others: func() []*audit.Log { return c.others(p, book.Log) }}
	w := watch.Watch{Engine: followed{client}, Ledger: records, Memory: watch.Memory{Path: book.Log.Path + ".watch"}, Now: p.Now, Note: p.note}
	return w.Run(ctx)
}

// others are the logs that may already account for a deletion: those that this
// account knows, and those that were named.
func (c watchCmd) others(p Process, own *audit.Log) (logs []*audit.Log) {
	for _, path := range append(own.Heads.Logs(), c.OtherLog...) {
		if path = p.abs(path); path != own.Path {
			logs = append(logs, p.log(path))
		}
	}
	return logs
}
