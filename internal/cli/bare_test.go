package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// A line of flags means the same to the grammar of the teardown alone as to all of
// it, with settings from elsewhere too.
func TestBareLine(t *testing.T) {
	for _, line := range []string{
		"", "-y", "-yq", "--yes --keep-for=1h", "--no-volumes", "-fa.yaml -fb.yaml -pshop", "--project-name=shop --profile=a --profile=b",
		"--rmi=local --remove-orphans --timeout=3 --dry-run", "--color=never --reason=why --export=out --unprotect=a --unprotect=b", "-v -t-1 --parallel=-1",
	} {
		p := bareProcess(t, line)
		bare, color := p.parseBare()
		if bare == nil {
			t.Fatalf("%q was left to the whole grammar", line)
		}
		var g grammar
		whole, err := p.parse(newParser(&g, p, p.set))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := destroyOf(bare), destroyOf(whole); !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n bare  %+v\n whole %+v", line, got, want)
		}
		if color != g.Color || records(bare) != records(whole) || destroyOf(bare).LockTimeout != 7*time.Second {
			t.Errorf("%q: colour %q and %q, records %t and %t, lock timeout %s", line, color, g.Color, records(bare), records(whole), destroyOf(bare).LockTimeout)
		}
	}
}

func destroyOf(call *kong.Context) destroyCmd { return call.Selected().Target.Interface().(destroyCmd) }

// Everything else is left to the whole grammar: commands, help, mistakes.
func TestNotBare(t *testing.T) {
	for _, line := range []string{
		"audit", "destroy", "-y audit", "-h", "-yh", "--help", "--version", "--", "-y --", "--ye", "-profile", "-profile=a", "--project-name shop",
		"--rmi=some", "--no-such", "--limit=3", "-yz", "-", "__complete", "--keep-for=soon",
	} {
		if call, _ := bareProcess(t, line).parseBare(); call != nil {
			t.Errorf("%q was not left to the whole grammar", line)
		}
	}
	p := bareProcess(t, "")
	p.Environ = append(p.Environ, completeAsked+"=ccdestroy ")
	if call, _ := p.parseBare(); call != nil {
		t.Error("a request for completions was taken for a teardown")
	}
	p = bareProcess(t, "-y")
	if err := os.WriteFile(filepath.Join(p.Dir, settingsName), []byte("log: elsewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.set.read()
	if call, _ := p.parseBare(); call != nil && p.set.admit(call) == nil {
		t.Error("a project's file that may not set what it sets was obeyed")
	}
}

// bareProcess has a setting from a variable and one from a file.
func bareProcess(t *testing.T, line string) Process {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config", "ccdestroy", "config.yaml")
	if err := os.MkdirAll(filepath.Dir(config), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("lock-timeout: 7s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { null.Close() })
	p := Process{
		Args: strings.Fields(line), Dir: dir, Stdout: null, Stderr: null, Now: time.Now,
		Environ: []string{"XDG_CONFIG_HOME=" + filepath.Join(dir, "config"), "CCDESTROY_PROMPT_TIMEOUT=5s"},
	}
	p.set = &settings{p: p}
	p.set.app = func() *kong.Application { var g grammar; return newParser(&g, p, p.set).Model }
	return p
}
