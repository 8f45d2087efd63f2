package render

import (
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/archive"
)

// The name of an anonymous volume does not break a list.
func TestBriefNames(t *testing.T) {
	name := strings.Repeat("0bdcfc50b3d8", 6)[:64]
	var b strings.Builder
	if err := Exports(&b, []archive.Found{{Volumes: []string{"shop_db", name}}}, time.Now(), Style{}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Contains(got, name) || !strings.Contains(got, "shop_db, 0bdcfc50b3d8…") {
		t.Error(got)
	}
	if got := brief(name + "a"); got != name+"a" {
		t.Error(got)
	}
}
