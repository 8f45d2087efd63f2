package guard

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// kind is what a call destroys.
type kind int

const (
	harmless    kind = iota
	volumeRm         // DELETE /volumes/NAME
	volumePrune      // POST /volumes/prune
	containerRm      // DELETE /containers/NAME?v=1
)

// call is a call of the engine's API that may destroy volumes.
type call struct {
	kind    kind
	name    string // of the volume or container
	force   bool
	version string // of the API, "" is the engine's own
	filters map[string][]string
	hidden  bool // it may have a body of which the engine takes words before those of the query
}

var apiVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^/v([0-9.]+)(/.*)$`) })

// parse says what a call is, by its method and its request target as they came
// over the wire. The engine's router decodes a path before it compares it, and
// answers one that is not clean with a redirect; here it is cleaned, so that
// nothing depends on that. A target that cannot be read the engine cannot route.
func parse(method, target string) call {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return call{}
	}
	var c call
	at := path.Clean("/" + u.Path)
	if strings.HasSuffix(u.Path, "/") && at != "/" {
		at += "/" // the engine treats it as a part of the name
	}
	if m := apiVersion().FindStringSubmatch(at); m != nil {
		c.version, at = m[1], m[2]
	}
	query, wrong := url.ParseQuery(u.RawQuery) // what can be read of it
	method = strings.ToUpper(method)
	if name, ok := strings.CutPrefix(at, "/volumes/"); ok && method == "DELETE" && name != "" {
		c.kind, c.name, c.force = volumeRm, name, yes(query.Get("force"))
	}
	if strings.TrimSuffix(at, "/") == "/volumes/prune" && method == "POST" {
		c.kind, c.filters = volumePrune, filtersOf(query.Get("filters"))
	}
	// The engine refuses a query that is wrong. A later one may read it otherwise.
	if name, ok := strings.CutPrefix(at, "/containers/"); ok && method == "DELETE" && name != "" && (yes(query.Get("v")) || wrong != nil) {
		c.kind, c.name = containerRm, name
	}
	return c
}

// yes reads a flag of a query as the engine does.
func yes(value string) bool {
	return !slices.Contains([]string{"", "0", "no", "false", "none"}, strings.ToLower(strings.TrimSpace(value)))
}

// filtersOf reads filters in the two shapes that the engine takes: of lists, and of
// maps, the older one. The engine refuses what cannot be read.
func filtersOf(text string) map[string][]string {
	out := map[string][]string{}
	if json.Unmarshal([]byte(text), &out) == nil {
		return out
	}
	var old map[string]map[string]bool
	if json.Unmarshal([]byte(text), &old) != nil {
		return nil
	}
	out = map[string][]string{}
	for key, values := range old {
		for value := range values { // there false means the same as true
			out[key] = append(out[key], value)
		}
		slices.Sort(out[key])
	}
	return out
}

// anonymousOnly reports whether a prune of this API version, or the engine's own,
// passes over volumes that somebody named.
func (c call) anonymousOnly(own string) bool {
	version := c.version
	if version == "" {
		version = own
	}
	if slices.ContainsFunc(c.filters["all"], yes) {
		return false
	}
	return !olderThan(version, 1, 42)
}

// olderThan reports whether a version is older than another. One that cannot be read counts
// as older: then more volumes are assumed to go.
func olderThan(version string, major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(version, "%d.%d", &a, &b); n != 2 {
		return true
	}
	return a < major || a == major && b < minor
}
