package watch

import (
	"fmt"
	"time"
)

// recall takes over what an earlier watch knew. Without it the list of volumes is
// started afresh.
func (w *Watch) recall() {
	s, found, err := w.Memory.Load()
	if err != nil {
		w.Note(fmt.Sprintf("what an earlier watch knew cannot be read, so the list of volumes is begun anew: %v", err))
	}
	if !found {
		return
	}
	w.engine, w.followed, w.known, w.listed, w.held = s.engine, true, s.known, s.listed, s.held
	w.seen = s.until
	if now := w.Now(); w.seen.After(now) {
		w.seen = now // the clock was set back
	}
}

// save leaves what is known to the next watch: when it has changed, and else so
// often that the time until which the engine was followed is not much too early.
func (w *Watch) save() {
	now := w.Now()
	if w.known == nil || !w.followed || !w.dirty && now.Sub(w.saved) < saveEvery {
		return
	}
	s := state{engine: w.engine, until: w.seen, listed: w.listed, known: w.known, held: w.held}
	if s.listed.IsZero() {
		// As events have it, which is not after the event of what is recorded next.
		s.listed = now.Truncate(time.Microsecond)
	}
	err := w.Memory.Save(s)
	w.saved, w.dirty = now, err != nil
	w.once(err, "the list of volumes cannot be kept for the next watch")
}
