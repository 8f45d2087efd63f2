package fault

import "testing"

func TestShell(t *testing.T) {
	for in, want := range map[string]string{"shop_data": "shop_data", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'"} {
		if got := Shell(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
