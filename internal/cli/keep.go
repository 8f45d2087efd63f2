package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/contextcore/ccdestroy/internal/engine"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// keepFlag is for commands that destroy volumes.
type keepFlag struct {
	KeepFor *keepTime `placeholder:"TIME" group:"ccdestroy" help:"How long ccdestroy undo can bring the volumes back, such as 7d or 12h; 0 destroys them at once. Default: 7d if a person typed the answer, otherwise 0."`
}

// keepForPerson is how long volumes are kept when a person agreed to destroy
// them. A coding agent makes mistakes like a person. Other unattended runs keep
// nothing unless told to: those who call them expect the space to be free.
const keepForPerson = 7 * 24 * time.Hour

// keeper sets volumes aside as the flag says, else as is the default for the caller.
// What an agent destroys is kept whatever the flag says, unless it is allowed not
// to.
func (f keepFlag) keeper(p Process, c *engine.Client, confirmation string, agent record.Agent) *trash.Keeper {
	k := &trash.Keeper{Open: p.trash(c), Now: p.Now}
	switch {
	case f.KeepFor != nil:
		k.For = time.Duration(*f.KeepFor)
	case confirmation == record.Typed || agent.Name != "":
		k.For = max(keepForPerson, time.Duration(p.set.projectKeeps()))
	default:
		k.For = time.Duration(p.set.projectKeeps())
	}
	if agent.Held() {
		k.For = max(k.For, keepForPerson)
	}
	return k
}

// trash finds out how to access the trash of an engine: through its directory, as root on
// its host, otherwise through this program in a container.
func (p Process) trash(c *engine.Client) trash.Open {
	return func(ctx context.Context, lock string, volumes []inventory.Volume) (trash.Opened, error) {
		platform, err := c.Platform(ctx)
		if err != nil {
			return trash.Opened{}, err
		}
		if c.Reaches(ctx, platform, volumes) {
			return trash.Opened{Shelf: trash.Place{Root: platform.Root}, Root: platform.Root}, nil
		}
		self, err := c.Self(lock, platform.Root)
		if err != nil {
			return trash.Opened{}, err
		}
		return trash.Opened{Shelf: helper{self}, Root: platform.Root}, nil
	}
}

// helper is the shelf in a container.
type helper struct{ engine.Self }

// Do performs a request there.
func (h helper) Do(ctx context.Context, r trash.Request) (out trash.Response, err error) {
	h.Args, h.Name = []string{"trash-helper"}, "ccdestroy-"+newID(time.Now())
	if err := h.Call(ctx, r, &out); err != nil {
		return out, err
	}
	return out, out.Failed()
}

// trashHelperCmd is the other side of helper, with the engine's data directory at
// engine.SelfDir.
type trashHelperCmd struct{}

// Run reads requests from standard input, to its end, and writes a response to
// each.
func (trashHelperCmd) Run(ctx context.Context, p Process) error {
	requests, responses := json.NewDecoder(p.Stdin), json.NewEncoder(p.Stdout)
	for {
		var r trash.Request
		if err := requests.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		out, err := trash.Place{Root: engine.SelfDir}.Do(ctx, r)
		if err != nil {
			out.Error = err.Error()
		}
		if err := responses.Encode(out); err != nil {
			return err
		}
	}
}
