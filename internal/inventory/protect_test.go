package inventory

import (
	"strings"
	"testing"
)

// A volume is protected by its label and by patterns on its name and its Compose
// key; a protection that is enforced is not lifted by naming the volume.
func TestPatterns(t *testing.T) {
	label := map[string]string{LabelProtect: "true"}
	for name, c := range map[string]struct {
		patterns Patterns
		labels   map[string]string
		by       string // "" is not protected
		lifted   bool   // by naming the volume
	}{
		"none":                {nil, nil, "", true},
		"the label":           {nil, label, "the label", true},
		"the name":            {Patterns{"shop_*": {From: "x.yaml:3"}}, nil, "the pattern shop_* of x.yaml:3", true},
		"the key":             {Patterns{"pg*": {From: "$CCDESTROY_PROTECT"}}, nil, "the pattern pg* of $CCDESTROY_PROTECT", true},
		"another's":           {Patterns{"shop": {From: "x"}, "*_other": {From: "y"}, "PG*": {From: "z"}}, nil, "", true},
		"enforced":            {Patterns{"pg*": {From: "/etc/c.yaml:3", Enforced: true}}, nil, "the pattern pg* of /etc/c.yaml:3, which is enforced", false},
		"the label first":     {Patterns{"pg*": {From: "x"}}, label, "the label", true},
		"enforced, the label": {Patterns{"pg*": {From: "x", Enforced: true}}, label, "which is enforced", false},
		"enforced and not":    {Patterns{"*": {From: "x"}, "pg*": {From: "y", Enforced: true}, "shop*": {From: "z"}}, nil, "the pattern pg* of y", false},
	} {
		labels := map[string]string{LabelVolume: "pgdata"}
		for k, v := range c.labels {
			labels[k] = v
		}
		r := c.patterns.Resource(Volume{Name: "shop_pgdata", Driver: "local", Labels: labels})
		r.Asked = true
		inv := Inventory{Resources: []Resource{r}}
		if r.Protected != (c.by != "") || !strings.Contains(r.Protection, c.by) || len(inv.Refusals(nil)) == 0 != (c.by == "") {
			t.Errorf("%s: %v %q", name, r.Protected, r.Protection)
		}
		for _, word := range []string{"shop_pgdata", "pgdata"} {
			if (len(inv.Refusals([]string{word})) == 0) != c.lifted {
				t.Errorf("%s: --unprotect %s", name, word)
			}
		}
	}
	if r := (Patterns{"*": {From: "x"}}).Resource(Volume{Name: "plain"}); !r.Protected {
		t.Error("a volume without a key is not protected by its name")
	}
	if r := (Patterns{"": {From: "x"}}).Resource(Volume{Name: "plain"}); r.Protected {
		t.Error("a volume without a key is protected by the empty pattern")
	}
}
