package watch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/record"
)

// Hold makes sure that one watch at a time records in a log: two would record
// each deletion twice, and overwrite each other's memory. It does not wait: a second
// one that waits would look as if it watched. The log's directory must exist.
func Hold(b *record.Book) (release func(), err error) {
	path := b.Log.Path + ".watch.lock"
	l, free, err := b.Log.Sharing().TryLock(path)
	if err != nil {
		return nil, err
	}
	if !free {
		who := "somebody"
		if text, err := durable.LockHolder(path); err == nil && len(text) > 0 {
			who = strings.TrimSpace(string(text))
		}
		return nil, &fault.Fault{
			Err: fmt.Errorf("another watch records in %s: %s", b.Log.Path, who),
			Try: "stop it, or record elsewhere: ccdestroy watch --log FILE", Code: fault.ExitFailed,
		}
	}
	var actor struct{ Host string }
	_ = json.Unmarshal(b.Actor, &actor) // none: no host
	// A crash before this is done leaves the name of the holder before.
	if err := l.Write(fmt.Appendf(nil, "%s on %s, since %s\n", b.User, cmp.Or(actor.Host, "this machine"), b.Now().UTC().Format(time.RFC3339))); err != nil {
		_ = l.Unlock()
		return nil, err
	}
	return func() { _ = l.Remove() }, nil
}
