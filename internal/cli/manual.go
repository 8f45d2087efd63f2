package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type manCmd struct{}

// Run prints the manual page.
func (manCmd) Run(p Process, app *kong.Application) error { return manual(p.Stdout, app) }

// manual writes the grammar as a page for man(1), in the language of man(7).
func manual(w io.Writer, app *kong.Application) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH CCDESTROY 1 \"\" %s \"User Commands\"\n", roffArg(version()))
	fmt.Fprintf(&b, ".SH NAME\nccdestroy \\- an audited docker compose down \\-v\n.SH SYNOPSIS\n")
	for _, line := range []string{"ccdestroy [FLAGS]", "ccdestroy COMMAND [ARGUMENTS] [FLAGS]"} {
		fmt.Fprintf(&b, ".B %s\n.br\n", roff(line))
	}
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n.SH COMMANDS\n", roff(description))
	for _, leaf := range app.Leaves(true) {
		fmt.Fprintf(&b, ".SS %s\n%s\n", roffArg(strings.TrimPrefix(leaf.Summary(), app.Name+" ")), roff(leaf.Help))
		if leaf.Detail != "" {
			fmt.Fprintf(&b, ".PP\n%s\n", roff(leaf.Detail))
		}
		for _, arg := range leaf.Positional {
			fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", roff(arg.Summary()), roff(arg.Help))
		}
		manualFlags(&b, leaf.Flags)
	}
	b.WriteString(".SH GLOBAL FLAGS\n")
	manualFlags(&b, app.Flags)
	fmt.Fprintf(&b, ".SH EXIT STATUS\n%s\n", roff(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(exitCodes), "Exit codes:"))))
	fmt.Fprintf(&b, ".SH ENVIRONMENT\nEvery flag can be set by a variable: CCDESTROY_ and its name in capitals, with _ for \\-.\n")
	fmt.Fprintf(&b, ".SH FILES\n.TP\n.I .contextcore/audit.jsonl\nthe audit log\n")
	for _, file := range [][2]string{{"~/.config/ccdestroy/config.yaml", "values of flags"}, {"/etc/ccdestroy/config.yaml", "values of flags, and what is enforced"},
		{settingsName, "values of some flags, looked for upward from the working directory"}} {
		fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", roff(file[0]), roff(file[1]))
	}
	fmt.Fprintf(&b, ".SH SEE ALSO\n.BR docker\\-compose\\-down (1)\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func manualFlags(b *strings.Builder, flags []*kong.Flag) {
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		name := "--" + f.Name
		if f.Tag.Negatable != "" {
			name = "--[no-]" + f.Name
		}
		if f.Short != 0 {
			name = "-" + string(f.Short) + ", " + name
		}
		if !f.IsBool() && f.Name != "help" && f.Name != "version" {
			name += " " + f.FormatPlaceHolder()
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(name), roff(f.Help))
	}
}

// roff escapes a text, whose first character may not be a command's.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "·", `\(pc`, "\n", " ").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

func roffArg(text string) string { return `"` + strings.ReplaceAll(roff(text), `"`, `\(dq`) + `"` }
