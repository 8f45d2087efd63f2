package undo

import (
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/trash"
)

// What could not be looked for is not called gone: its data may well be there.
func TestRefuseWhatWasNotLookedFor(t *testing.T) {
	r := &Run{found: []trash.Found{{Item: trash.Item{Volume: "shop_db"}, Error: `"a b" is not a valid volume name`}}}
	if err := r.refuse(); err == nil || strings.Contains(err.Error(), "purged") || !strings.Contains(err.Error(), `"a b"`) {
		t.Error(err)
	}
}
