package cli

import (
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/render"
)

// Called through the Docker CLI, the program prints commands that begin with
// docker ccdestroy.
func TestCommandsAsCalled(t *testing.T) {
	plugin := render.Style{Program: []string{"docker", "ccdestroy"}}
	for text, want := range map[string]string{
		"ccdestroy audit -n 20":                    "docker ccdestroy audit -n 20",
		"ccdestroy --unprotect a":                  "docker ccdestroy --unprotect a",
		"ccdestroy -p shop; or ccdestroy down web": "docker ccdestroy -p shop; or docker ccdestroy down web",
		"docker ccdestroy audit":                   "docker ccdestroy audit",
		"ccdestroy: no audit log":                  "ccdestroy: no audit log",
	} {
		if got := plugin.Called(text); got != want {
			t.Errorf("%q, not %q", got, want)
		}
		if got := (render.Style{}).Called(text); got != text {
			t.Errorf("%q was changed to %q", text, got)
		}
	}
	p, err := Process{Args: []string{"ccdestroy", "audit"}}.AsPlugin()
	if err != nil || strings.Join(p.program(), " ") != "docker ccdestroy" || strings.Join(p.Args, " ") != "audit" {
		t.Errorf("%q %q %v", p.program(), p.Args, err)
	}
	p, err = Process{Args: []string{"--log-level", "a b", "ccdestroy", "audit"}}.AsPlugin()
	const want = "docker --log-level 'a b' ccdestroy undo"
	for _, text := range []string{"ccdestroy undo", want} { // what is spelled as it was called stays so
		if got := (render.Style{Program: p.program()}).Called(text); err != nil || got != want || p.name() != "docker ccdestroy" {
			t.Errorf("%q by %q, %v, want %q", got, p.name(), err, want)
		}
	}
}

// Every command of the grammar is known where texts are adapted.
func TestCommandsAreKnown(t *testing.T) {
	var g grammar
	parser := newParser(&g, Process{}, &settings{})
	for _, name := range childNames(parser.Model.Node) {
		text := "ccdestroy " + name
		if got := (render.Style{Program: []string{"docker", "ccdestroy"}}).Called(text); got != "docker "+text && name != "compose" {
			t.Errorf("%q", got)
		}
	}
}
