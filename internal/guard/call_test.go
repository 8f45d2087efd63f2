package guard

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// What a call destroys does not depend on how its path is spelled.
func TestParse(t *testing.T) {
	for line, want := range map[string]call{
		"DELETE /volumes/a":                           {kind: volumeRm, name: "a"},
		"DELETE /v1.41/volumes/a":                     {kind: volumeRm, name: "a", version: "1.41"},
		"DELETE /v1.54/volumes/a?force=1":             {kind: volumeRm, name: "a", version: "1.54", force: true},
		"DELETE /v1.41/volumes/a?force=false":         {kind: volumeRm, name: "a", version: "1.41"},
		"DELETE /v1.41/volumes/a/":                    {kind: volumeRm, name: "a/", version: "1.41"},
		"DELETE //v1.41//volumes//a":                  {kind: volumeRm, name: "a", version: "1.41"},
		"DELETE /v1.41/x/../volumes/./a":              {kind: volumeRm, name: "a", version: "1.41"},
		"DELETE /v1.41/volumes/%61":                   {kind: volumeRm, name: "a", version: "1.41"},
		"DELETE /v1.41/%76olumes/a":                   {kind: volumeRm, name: "a", version: "1.41"},
		"DELETE /%76%31.41/volumes/a":                 {kind: volumeRm, name: "a", version: "1.41"},
		"DELETE /v1.41/volumes/a%2Fb":                 {kind: volumeRm, name: "a/b", version: "1.41"},
		"DELETE /v1.41/volumes%2Fa":                   {kind: volumeRm, name: "a", version: "1.41"},
		"DELETE http://docker/v1.41/volumes/a":        {kind: volumeRm, name: "a", version: "1.41"},
		"delete /volumes/a":                           {kind: volumeRm, name: "a"},
		"DELETE /volumes/prune":                       {kind: volumeRm, name: "prune"},
		"POST /volumes/prune":                         {kind: volumePrune},
		"POST /v1.41/volumes/prune/":                  {kind: volumePrune, version: "1.41"},
		"DELETE /containers/a":                        {},
		"DELETE /containers/a?v=0":                    {},
		"DELETE /containers/a?v=1":                    {kind: containerRm, name: "a"},
		"DELETE /v1.41/containers/a?force=1&v=true":   {kind: containerRm, name: "a", version: "1.41"},
		"DELETE /containers/a?v=%31":                  {kind: containerRm, name: "a"},
		"DELETE /containers/a?V=1":                    {},
		"DELETE /containers/a?v=0&v=1":                {},
		"DELETE /containers/a?v=1&v=0":                {kind: containerRm, name: "a"},
		"DELETE /containers/a?v=1;x":                  {kind: containerRm, name: "a"},
		"GET /v1.41/volumes/a":                        {},
		"GET /volumes":                                {},
		"POST /volumes/create":                        {},
		"DELETE /images/a":                            {},
		"DELETE /networks/volumes/a":                  {},
		"DELETE /volumes/":                            {},
		"OPTIONS *":                                   {},
		"DELETE volumes/a":                            {},
		"CONNECT docker:80":                           {},
		"POST /v1.41/volumes/create?name=prune":       {},
		"HEAD /v1.41/volumes/a":                       {},
		"DELETE /v1.41/containers/web%2Fx?v=1":        {kind: containerRm, name: "web/x", version: "1.41"},
		"DELETE /v1.41/containers/%2fweb?link=1&v=on": {kind: containerRm, name: "web", version: "1.41"},
	} {
		method, target, _ := strings.Cut(line, " ")
		got := parse(method, target)
		if got.kind == volumePrune {
			got.filters = nil
		}
		if got.kind != want.kind || got.name != want.name || got.version != want.version && want.kind != harmless || got.force != want.force {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestPruneFilters(t *testing.T) {
	for target, want := range map[string]bool{ // passes over named ones, on an engine of 1.47
		"/volumes/prune":       true,
		"/v1.41/volumes/prune": false,
		"/v1.42/volumes/prune": true,
		"/v1.9/volumes/prune":  false,
		"/v2.0/volumes/prune":  true,
		"/v1.44/volumes/prune?filters=%7B%22all%22:[%22true%22]%7D":          false,
		"/v1.44/volumes/prune?filters=%7B%22all%22:%7B%22true%22:true%7D%7D": false,
		"/v1.44/volumes/prune?filters=%7B%22all%22:[%22false%22]%7D":         true,
		"/v1.44/volumes/prune?filters=nonsense":                              true,
	} {
		if got := parse("POST", target).anonymousOnly("1.47"); got != want {
			t.Errorf("%s: %t", target, got)
		}
	}
	c := parse("POST", `/volumes/prune?filters={"label":{"a=b":true},"label!":["c"]}`)
	if c.filters != nil && !slices.Equal(c.filters["label!"], nil) {
		t.Errorf("%+v: two shapes at once are refused by the engine", c.filters)
	}
	c = parse("POST", `/volumes/prune?filters={"label":["a=b","d"],"label!":["c"]}`)
	if !slices.Equal(c.filters["label"], []string{"a=b", "d"}) || !slices.Equal(c.filters["label!"], []string{"c"}) {
		t.Errorf("%+v", c.filters)
	}
}

func TestPolicy(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	v := inventory.Volume{Name: "shop_data", Driver: "local", Created: now.Add(-48 * time.Hour), Labels: map[string]string{inventory.LabelProject: "shop", "tier": "gold"}}
	guarded := v
	guarded.Labels = map[string]string{inventory.LabelProtect: "true"}
	rm, all := call{kind: volumeRm}, call{kind: volumePrune}
	for name, c := range map[string]struct {
		p    Policy
		c    call
		v    inventory.Volume
		ours bool
		says string
	}{
		"nothing":           {Policy{}, rm, v, false, ""},
		"the label":         {Policy{}, rm, guarded, false, "the label ccdestroy.protect=true"},
		"of ours":           {Policy{}, rm, guarded, true, ""},
		"a pattern":         {Policy{Protect: inventory.Patterns{"shop_*": {From: "x:1"}}}, rm, v, false, "the pattern shop_* of x:1"},
		"a project":         {Policy{Projects: []string{"sh?p"}}, rm, v, false, "protect-project sh?p"},
		"even of ours":      {Policy{Projects: []string{"sh?p"}}, rm, v, true, "protect-project sh?p"},
		"no project":        {Policy{Projects: []string{"*"}}, rm, guarded, true, ""},
		"a label":           {Policy{Labels: []string{"tier"}}, rm, v, false, "protect-label tier"},
		"another value":     {Policy{Labels: []string{"tier=silver"}}, rm, v, false, ""},
		"that value":        {Policy{Labels: []string{"tier=gold"}}, rm, v, false, "protect-label tier=gold"},
		"older":             {Policy{Older: 24 * time.Hour}, rm, v, false, "protect-older 24h0m0s"},
		"not that old":      {Policy{Older: 72 * time.Hour}, rm, v, false, ""},
		"no prune":          {Policy{NoPrune: true}, all, v, false, "deny-prune"},
		"no prune is meant": {Policy{NoPrune: true}, rm, v, false, ""},
		"a form":            {Policy{}, call{kind: volumePrune, hidden: true}, v, false, "in its body"},
		"a form of a rm":    {Policy{}, call{kind: volumeRm, hidden: true}, v, false, ""},
	} {
		got := c.p.refuses(c.c, []inventory.Volume{c.v}, c.ours, now)
		if (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := (Policy{NoPrune: true}).refuses(all, nil, false, now); got == "" {
		t.Error("a prune of nothing is allowed")
	}
}

// The engine's words are read as far as they matter, in whatever order.
func TestReadRequest(t *testing.T) {
	r, err := readRequest(strings.NewReader(`{"RequestBody":"W10=","ResponseBody":"e30=","ResponseStatusCode":204,"User":"ana","UserAuthNMethod":"TLS","RequestMethod":"DELETE","RequestUri":"/volumes/a","RequestHeaders":{"User-Agent":"x"}}`))
	if err != nil || r.User != "ana" || r.Auth != "TLS" || r.Status != 204 || string(r.Body) != "{}" || string(r.Sent) != "[]" || r.Headers["User-Agent"] != "x" || r.URI != "/volumes/a" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := readRequest(strings.NewReader(`{"RequestMethod":"GET","RequestUri":"/volumes","ResponseBody":`)); err != nil {
		t.Errorf("the rest of a harmless call was read: %v", err)
	}
	for _, text := range []string{"", "[]", "{}", `{"RequestMethod":"DELETE"}`, `{"RequestMethod":"DELETE","RequestUri":"/volumes/a",`, `{"RequestMethod":5}`} {
		if _, err := readRequest(strings.NewReader(text)); err == nil {
			t.Errorf("%q is understood", text)
		}
	}
}

// What the engine may take from a body that it does not show is not allowed.
func TestHides(t *testing.T) {
	for _, c := range []struct {
		kind, length, sent string
		want               bool
	}{
		{"application/x-www-form-urlencoded", "10", "", true},
		{"Application/X-WWW-Form-URLencoded; charset=utf-8", "", "", true}, // in chunks
		{"application/json", "", "", true},                                 // the last of two headers
		{"application/json", "", "{}", false},
		{"text/plain", "0", "", false}, // docker's own
		{"application/x-www-form-urlencoded", "0", "", false},
		{"", "10", "", false}, // the engine looks into no body without a type
		{"", "", "", false},
	} {
		r := Request{Headers: map[string]string{"User-Agent": "x"}, Sent: []byte(c.sent)}
		if c.kind != "" {
			r.Headers["content-Type"] = c.kind
		}
		if c.length != "" {
			r.Headers["Content-Length"] = c.length
		}
		if got := r.hides(); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

// The engine's configuration keeps its order and its other values as they are.
func TestDaemonJSON(t *testing.T) {
	for _, c := range []struct{ in, want, without string }{
		{"", "{\n  \"authorization-plugins\": [\n    \"ccdestroy\"\n  ]\n}\n", "{}\n"},
		{`{"b": 1.50, "a": {"x": [1,2]}}`, "{\n  \"b\": 1.50,\n  \"a\": {\n    \"x\": [\n      1,\n      2\n    ]\n  },\n  \"authorization-plugins\": [\n    \"ccdestroy\"\n  ]\n}\n",
			"{\n  \"b\": 1.50,\n  \"a\": {\n    \"x\": [\n      1,\n      2\n    ]\n  }\n}\n"},
		{`{"authorization-plugins": ["old"], "z": true}`, "{\n  \"authorization-plugins\": [\n    \"ccdestroy\"\n  ],\n  \"z\": true\n}\n", "{\n  \"z\": true\n}\n"},
	} {
		all, err := settingsOf([]byte(c.in))
		if err != nil {
			t.Fatal(err)
		}
		with, err := withPlugins(all, []string{"ccdestroy"})
		if err != nil || string(with) != c.want {
			t.Errorf("%s: %v\n%s", c.in, err, with)
		}
		without, err := withPlugins(all, nil)
		if err != nil || string(without) != c.without {
			t.Errorf("%s: %v\n%s", c.in, err, without)
		}
	}
	for _, text := range []string{"[]", "{", `{"a":}`} {
		if _, err := settingsOf([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// What a response says is taken where the look before can have missed something.
func TestDestroyed(t *testing.T) {
	pruned := []byte(`{"VolumesDeleted":["a","b"],"SpaceReclaimed":0}`)
	for name, c := range map[string]struct {
		a    allowed
		want []string
	}{
		"a prune":           {allowed{call: call{kind: volumePrune}, request: Request{Status: 200, Body: pruned}}, []string{"a", "b"}},
		"a refused prune":   {allowed{call: call{kind: volumePrune}, request: Request{Body: []byte(`{"message":"no"}`)}}, nil},
		"a removal":         {allowed{call: call{kind: volumeRm, name: "a"}, request: Request{Status: 204}}, []string{"a"}},
		"a refused one":     {allowed{call: call{kind: volumeRm, name: "a"}, request: Request{}}, nil},
		"by force, perhaps": {allowed{call: call{kind: volumeRm, name: "a", force: true}, request: Request{Status: 204}}, nil},
		"a container":       {allowed{call: call{kind: containerRm, name: "a"}, request: Request{Status: 204}}, nil},
	} {
		if got := c.a.destroyed(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := short(strings.Repeat("ü", 600)); len(got) > shortLimit+len("…") || !strings.HasSuffix(got, "ü…") {
		t.Errorf("%q", got)
	}
}
