package record

import (
	"context"
	"fmt"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// Copier copies logs to a place where they outlive this machine. The log itself is what
// counts: a copy that is late, or sent again, changes nothing.
type Copier interface {
	// Secure returns when everything in the log is copied to wherever it must be
	// before anything is destroyed. After an error nothing must be destroyed.
	Secure(ctx context.Context, l *audit.Log) error
	// Follow copies, to all places, what takes little time. An error says what is
	// left for the next call.
	Follow(ctx context.Context, l *audit.Log) error
}

// secure makes sure that what was recorded is where it must be before the deed.
// An error is a *fault.Fault.
//
// A crash in it leaves a pending event in the log, and perhaps in copies, and
// nothing destroyed: whoever settles it finds that out and records it.
func (b *Book) secure(ctx context.Context, operation string) error {
	if b.Copier == nil {
		return nil
	}
	if err := b.Copier.Secure(ctx, b.Log); err != nil {
		return &fault.Fault{
			Err: fmt.Errorf("the audit record could not be copied to its store first, so nothing was %s: %w", done(operation), err),
			Try: "ccdestroy doctor", Code: fault.ExitNoRecord,
		}
	}
	return nil
}

// Follow copies what was recorded, as far as that takes little time. What is left is
// reported: the next command copies it.
func (b *Book) Follow(ctx context.Context) {
	if b.Copier == nil {
		return
	}
	if err := b.Copier.Follow(context.WithoutCancel(ctx), b.Log); err != nil {
		b.Note(fmt.Sprintf("recorded, and not copied yet: %v; the next command tries again, or: ccdestroy ship", err))
	}
}
