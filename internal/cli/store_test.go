package cli

import (
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/record"
	"github.com/contextcore/ccdestroy/internal/store"
)

// A project cannot say where records go; what the machine enforces nobody changes.
func TestStoreTrust(t *testing.T) {
	need.Root(t)
	f := settingsIn(t, project(t))
	event := []string{"record", "--operation", "x", "--outcome", "failed"}
	for _, text := range []string{"store: s3://theirs/x\n", "store-mode: later\n"} {
		put(t, f.project, text)
		refused(t, call(t, f.dir, nil, event...), f.project+":1", "a project may not set")
	}
	put(t, f.project, "")
	put(t, f.machine, "enforce:\n  store: s3://acme-audit/x?endpoint=http://127.0.0.1:1\n  store-mode: require\n")
	for _, args := range [][]string{append(event, "--store", "s3://mine/x"), append(event, "--store="), {"ship", "--store", "s3://mine/x"}, {"prune", "--store", "s3://mine/x"}} {
		refused(t, call(t, f.dir, nil, args...), f.machine+":2 enforces s3://acme-audit/x")
	}
	refused(t, call(t, f.dir, nil, append(event, "--store-mode", "later")...), f.machine+":3 enforces require")
	for key, want := range map[string]string{"store": "s3://acme-audit/x?endpoint=http://127.0.0.1:1 " + f.machine + ":2 enforced", "store-mode": "require " + f.machine + ":3 enforced"} {
		if got := config(t, f.dir, []string{"CCDESTROY_STORE=s3://mine/x", "CCDESTROY_STORE_MODE=later"}, key); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	put(t, f.machine, "")
	refused(t, call(t, f.dir, nil, append(event, "--store", "https://x")...), "not an address of a store")
	refused(t, call(t, f.dir, nil, "audit", "--store"), "no store is set")
	refused(t, call(t, f.dir, nil, "audit", "verify", "--store=x"), "not an address of a store")
	refused(t, call(t, f.dir, nil, "audit", "--store", "s3://A"), "not an address of a store")
	refused(t, call(t, f.dir, nil, "ship"), "no store is set")
}

// Only where CI is detected must the record be in the store first, unless it is said.
func TestStoreModes(t *testing.T) {
	for name, c := range map[string]struct {
		env  []string
		mode string
		want store.Mode
	}{
		"a laptop": {nil, "", store.Later}, "CI": {[]string{"GITHUB_ACTIONS=true"}, "", store.Require},
		"a laptop that must": {nil, "require", store.Require}, "CI that need not": {[]string{"GITLAB_CI=true"}, "later", store.Later},
	} {
		copier, err := Process{Environ: c.env}.copier(storeFlags{Store: "s3://audit/x", StoreMode: c.mode})
		copies, is := copier.(*store.Copies)
		if err != nil || !is || len(copies.To) != 1 || copies.To[0].Mode != c.want || copies.To[0].Sink.Name() != "s3://audit/x" {
			t.Errorf("%s: %+v, %v", name, copies, err)
		}
	}
	var none record.Copier
	if copier, err := (Process{}).copier(storeFlags{}); err != nil || copier != none {
		t.Errorf("%v, %v", copier, err)
	}
}
