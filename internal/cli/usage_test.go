package cli

import (
	"os"
	"testing"
)

// A wrong command line is complained about in the user's words, not the parser's.
func TestUsageErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--export needs a value: --export=DIR", []string{"--export"}},
		{"--file needs a value: --file=FILE", []string{"-f"}},
		{"--timeout needs a value: --timeout=SECONDS", []string{"-t"}},
		{"--since needs a value: --since=TIME", []string{"audit", "--since"}},
		{`--reason needs a value, and "--yes" looks like a flag`, []string{"--reason", "--yes"}},
		{`--limit needs a value, and "-1" looks like a flag`, []string{"audit", "-n", "-1"}},
		{`--rmi must be one of local, all, not "some"`, []string{"--rmi", "some"}},
		{`--format must be one of table, json, not "xml"`, []string{"config", "--format", "xml"}},
		{`--lock-timeout: "soon" is not a length of time: try 30s, 10m or 2h`, []string{"--lock-timeout", "soon"}},
		{`--limit: expected a whole number but got "x"`, []string{"audit", "-n", "x"}},
		{"ccdestroy: --outcome bad: unknown", []string{"audit", "--outcome", "bad"}},
		{`--as: "a b" is not a valid volume name`, []string{"undo", "x", "--as", "a b"}},
		{`--as: "a/b" is not a valid volume name`, []string{"restore", "x", "--as", "a/b"}},
		{"<id> is missing", []string{"audit", "show"}},
		{"--output=FILE is missing", []string{"audit", "prove", "x"}},
		{"a command is missing: one of key, seal", []string{"store"}},
	} {
		refused(t, call(t, dir, nil, c.args...), c.want)
	}
}

// Help that nobody reads to its end is no error, and help that cannot be written is
// not one of the command line.
func TestHelpThatIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"--help"}, {"audit", "--help"}, {"help"}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		got := callWith(t, dir, nil, func(p *Process) { p.Stdout = w }, args...)
		w.Close()
		if got.code != exitPipe || got.stderr != "" {
			t.Errorf("%q into a closed pipe: exit %d\n%s", args, got.code, got.stderr)
		}
		got = callWith(t, dir, nil, func(p *Process) { p.Stdout = w }, args...)
		if got.code != 1 || got.stderr == "" {
			t.Errorf("%q into a closed file: exit %d\n%s", args, got.code, got.stderr)
		}
	}
}
