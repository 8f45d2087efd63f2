package record

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

func TestFilterMatches(t *testing.T) {
	details := Details{Inventory: goes("shop_data"), Actor: []byte(`{"account":"ana.b","host":"lap","ci":{"actor":"bot"}}`)}
	details.Project, details.Engine = "shop", inventory.Engine{Name: "server", Host: "ssh://far"}
	e := audit.Event{Timestamp: noon, Operation: audit.Destroy, Outcome: audit.Partial, User: "ana", Details: details.Encode(), DataAffected: []string{"shop_old"}}
	foreign := e
	foreign.Details = []byte(`{"resources":3,"actor":"x"}`) // of a script
	hour := time.Hour
	for name, c := range map[string]struct {
		filter  Filter
		mine    bool
		foreign bool
	}{
		"nothing":              {Filter{}, true, true},
		"operation":            {Filter{Operation: []string{audit.Prune, audit.Destroy}}, true, true},
		"another operation":    {Filter{Operation: []string{audit.Prune}}, false, false},
		"outcome":              {Filter{Outcome: []string{"partial"}}, true, true},
		"another outcome":      {Filter{Outcome: []string{"success"}}, false, false},
		"user":                 {Filter{User: []string{"bob", "ana"}}, true, true},
		"account":              {Filter{User: []string{"*.b"}}, true, false},
		"user of the CI":       {Filter{User: []string{"bot"}}, true, false},
		"project":              {Filter{Project: []string{"sh*"}}, true, false},
		"another project":      {Filter{Project: []string{"shop2"}}, false, false},
		"volume that went":     {Filter{Volume: []string{"shop_old"}}, true, true},
		"volume that remained": {Filter{Volume: []string{"*_data"}}, false, false},
		"host":                 {Filter{Host: []string{"lap"}}, true, false},
		"engine":               {Filter{Host: []string{"server"}}, true, false},
		"address":              {Filter{Host: []string{"ssh://far"}}, true, false},
		"two fields":           {Filter{User: []string{"ana"}, Project: []string{"shop"}}, true, false},
		"one of two fails":     {Filter{User: []string{"ana"}, Host: []string{"nowhere"}}, false, false},
		"since":                {Filter{Since: noon}, true, true},
		"since later":          {Filter{Since: noon.Add(hour)}, false, false},
		"until":                {Filter{Until: noon}, true, true},
		"until earlier":        {Filter{Until: noon.Add(-hour)}, false, false},
		"text":                 {Filter{Grep: "^li.e$"}, true, true},
		"other text":           {Filter{Grep: "xyz"}, false, false},
	} {
		if err := c.filter.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		match := c.filter.Match()
		if mine, other := match(e, []byte("line")), match(foreign, []byte("line")); mine != c.mine || other != c.foreign {
			t.Errorf("%s: %t, %t", name, mine, other)
		}
	}
}

func TestFilterCheck(t *testing.T) {
	for want, f := range map[string]Filter{
		`operation "Destroy" is not a lower_snake name`: {Operation: []string{"Destroy"}},
		"--outcome done: unknown":                       {Outcome: []string{"done"}},
		`"a[": syntax error in pattern`:                 {Volume: []string{"a["}},
		"--grep: error parsing regexp":                  {Grep: "("},
		"--until is before --since":                     {Since: noon, Until: noon.Add(-time.Second)},
	} {
		if err := f.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A query's words stand in every event of an operation that matches.
func TestQuery(t *testing.T) {
	d := newDesk(t)
	o := d.pending("shop")
	if err := o.End(t.Context(), Ended{Outcome: audit.Success}); err != nil {
		t.Fatal(err)
	}
	o.Close()
	d.pending("other").Close()
	for name, c := range map[string]struct {
		filter Filter
		want   int
	}{
		"all": {Filter{}, 2}, "project": {Filter{Project: []string{"shop"}}, 1}, "any project": {Filter{Project: []string{"*"}}, 2},
		"operation": {Filter{Operation: []string{audit.Destroy}}, 2}, "outcome": {Filter{Outcome: []string{"success"}}, 1},
		"the pending event of one that has ended": {Filter{Project: []string{"shop"}, Outcome: []string{"pending"}}, 0},
	} {
		got := 0
		if _, err := d.Log.History(c.filter.Query(0), func(audit.Record, []byte) error { got++; return nil }); err != nil || got != c.want {
			t.Errorf("%s: %d, want %d, %v", name, got, c.want, err)
		}
	}
}

// The newest export of each volume counts; those of another shape, and operations
// that exported nothing, do not.
func TestLastExportOfEach(t *testing.T) {
	d := newDesk(t)
	there := func(path string) bool { return path == "/new" }
	never := map[string]inventory.LastExport{"a": {}}
	if got := d.LastExports([]string{"a"}, there); !maps.Equal(got, never) {
		t.Errorf("without a log: %v", got)
	}
	at := noon
	d.Now = func() time.Time { return at }
	export := func(path string, outcome audit.Outcome, volumes ...string) {
		at = at.Add(time.Hour)
		o := d.Told(audit.Export, "ana")
		o.ExportPath, o.Details.Export = path, &Export{Manifest: "m"}
		for _, v := range volumes {
			o.Details.Export.Volumes = append(o.Details.Export.Volumes, Exported{Name: v})
		}
		if err := o.End(t.Context(), Ended{Outcome: outcome}); err != nil {
			t.Fatal(err)
		}
	}
	export("/old", audit.Success, "a", "b")
	export("/new", audit.Success, "a")
	export("", audit.Failed, "a", "b") // it came to nothing
	if _, err := d.tell(Claim{Operation: audit.Export, Outcome: "success"}); err != nil {
		t.Fatal(err)
	}
	got := d.LastExports([]string{"a", "b", "c"}, there)
	want := map[string]inventory.LastExport{
		"a": {At: "2026-11-24T14:00:00Z", Path: "/new", There: true},
		"b": {At: "2026-11-24T13:00:00Z", Path: "/old"},
	}
	want["c"] = inventory.LastExport{}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	seen := 0
	stop := errors.New("enough")
	if _, err := EachExport(d.Log, func(f FoundExport) error { seen++; return stop }); !errors.Is(err, stop) || seen != 1 {
		t.Errorf("%v, saw %d", err, seen)
	}
	// Of a log that cannot be read nothing is known, which is not "never".
	d.Log.Path = filepath.Join(filepath.Dir(d.Log.Path), "dir")
	if err := os.Mkdir(d.Log.Path, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := d.LastExports([]string{"a"}, there); len(got) > 0 {
		t.Errorf("of a log that cannot be read: %v", got)
	}
}
