package cli

import (
	"context"

	"github.com/contextcore/ccdestroy/internal/teardown"
)

type reconcileCmd struct {
	Host    string `short:"H" placeholder:"ADDRESS" help:"Docker Engine to talk to."`
	Context string `placeholder:"NAME" help:"Docker context to use."`
	logFlag
}

// Run settles what can be settled; it exits 1 when something stays unfinished.
func (c reconcileCmd) Run(ctx context.Context, p Process, code *int) error {
	l, err := p.logForReading(c.logFlag)
	if err != nil {
		return err
	}
	p.warnHead(l)
	client, err := p.engine(projectFlags{Host: c.Host, Context: c.Context})
	if err != nil {
		return err
	}
	defer client.Close()
	settled, obstacles, err := p.settle(ctx, l, client, 0)
	if err != nil {
		return readFault(err, l)
	}
	for _, err := range obstacles {
		p.say("ccdestroy: %v", err)
		*code = teardown.ExitFailed
	}
	if settled == 0 && len(obstacles) == 0 {
		p.say("Nothing is unfinished in %s", l.Path)
	}
	return nil
}
