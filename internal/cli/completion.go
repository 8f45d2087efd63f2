package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"github.com/contextcore/ccdestroy/internal/archive"
	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// What a shell calls for the completion of a line, in COMP_LINE. Without the
// word the variable means nothing, wherever it comes from: a line to complete is
// never one to run. The Docker CLI calls its plugins by a word of its own, with
// the line as arguments, and reads the answer as package cobra has it.
const (
	completeWord   = "__complete"
	completeAsked  = "COMP_LINE"
	completePlugin = "__complete-plugin"
)

var completionScripts = map[string]string{
	"bash": "complete -o default -o bashdefault -C 'ccdestroy __complete' ccdestroy\n",
	"zsh":  "autoload -U +X bashcompinit && bashcompinit\ncomplete -o default -o bashdefault -C 'ccdestroy __complete' ccdestroy\n",
	"fish": `function __complete_ccdestroy
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    ccdestroy __complete
end
complete -f -c ccdestroy -a "(__complete_ccdestroy)"
`,
}

// Help says what to do with it.
func (completionCmd) Help() string {
	return `bash: source <(ccdestroy completion bash), in ~/.bashrc. zsh: the same in ~/.zshrc. fish: ccdestroy completion fish | source, in ~/.config/fish/config.fish.`
}

// Run prints the script of a shell.
func (c completionCmd) Run(p Process) error {
	_, err := fmt.Fprint(p.Stdout, completionScripts[c.Shell])
	return err
}

// errOldScript: a script of an older version, in a shell that still runs, calls
// us without arguments, which would now tear down.
var errOldScript = fault.Usage("ccdestroy completion --help; or unset "+completeAsked, "%s is set: a shell asks for completions the way an older version did", completeAsked)

// complete answers a shell that asks for completions, and reports whether one
// did.
func (p Process) complete(parser *kong.Kong) (asked bool, err error) {
	line := p.Getenv(completeAsked)
	switch {
	case len(p.Args) == 0 && line != "":
		return false, errOldScript
	case len(p.Args) == 0 || p.Args[0] != completeWord && p.Args[0] != completePlugin:
		return false, nil
	case line == "":
		return true, nil
	}
	root, err := kongcompletion.Command(parser, kongcompletion.WithPredictors(map[string]complete.Predictor{
		"event":     complete.PredictFunc(func(complete.Args) []string { return names(p.knownEvents()) }),
		"operation": complete.PredictSet(audit.Destroy, audit.Export, audit.Prune, audit.DeleteDashboard, audit.Restore),
		"outcome":   complete.PredictSet(record.OutcomeWords()...),
		"volume":    complete.PredictFunc(func(complete.Args) []string { volumes, _ := p.known(); return volumes }),
		"project":   complete.PredictFunc(func(complete.Args) []string { _, projects := p.known(); return projects }),
		"file":      complete.PredictFiles("*"),
		"service":   complete.PredictFunc(func(a complete.Args) []string { return names(p.services(flagsIn(parser.Model, a.All))) }),
		"export":    complete.PredictOr(complete.PredictFunc(func(complete.Args) []string { return p.knownExports() }), complete.PredictDirs("*")),
		"archived":  complete.PredictFunc(p.archived),
		"undoable":  complete.PredictFunc(p.undoable),
	}))
	if err != nil {
		return true, err
	}
	// The commands that run when none is named lend their flags.
	root.Flags = root.Sub["destroy"].GlobalFlags
	log := root.Sub["audit"]
	log.Flags = log.Sub["list"].GlobalFlags
	root.Sub["audit"] = log
	c := complete.New("ccdestroy", root)
	c.Out = p.Stdout
	c.Complete()
	if p.Args[0] == completePlugin {
		_, err = fmt.Fprintln(p.Stdout, ":0") // files, where there is nothing else
	}
	return true, err
}

// completionPatience is how long a shell waits at most for names.
const completionPatience = time.Second

// knownEvents are the newest ids in the log, or in the store where the line says
// --store.
func (p Process) knownEvents() (ids []string) {
	if url, asked := p.typedStore(); asked {
		return p.storedEvents(url)
	}
	l, err := p.logForReading(logFlag{Log: p.Getenv("CCDESTROY_LOG")})
	if err != nil {
		return nil
	}
	_, _ = l.History(audit.Query{Limit: 100}, func(r audit.Record, _ []byte) error {
		ids = append(ids, r.ID)
		return nil
	})
	return ids
}

// flagsIn are the flags of a teardown in a command line that is being typed.
func flagsIn(app *kong.Application, words []string) (flags []typed) {
	for i, word := range words {
		if len(word) > 1 && word[0] == '-' {
			one, _ := read(app.DefaultCmd.Flags, words[i:])
			flags = append(flags, one...)
		}
	}
	return flags
}

// knownExports are the exports that the log knows of, as a path from here where
// they lie below.
func (p Process) knownExports() (paths []string) {
	l, err := p.logForReading(logFlag{Log: p.Getenv("CCDESTROY_LOG")})
	if err != nil {
		return nil
	}
	list, _ := p.shelf(l, "").List()
	for _, found := range list {
		if rel, err := filepath.Rel(p.Dir, found.Path); err == nil && filepath.IsLocal(rel) {
			found.Path = rel
		}
		if found.State == archive.StateComplete {
			paths = append(paths, found.Path)
		}
	}
	return names(paths)
}

// archived are the volumes of the export that was typed.
func (p Process) archived(a complete.Args) []string {
	for _, word := range a.Completed {
		if found := archive.At(p.abs(word)); found.State == archive.StateComplete {
			return names(slices.Clone(found.Volumes))
		}
	}
	return nil
}

// undoable are the operations that can be undone, and the volumes of the one that
// was typed, else of the newest.
func (p Process) undoable(a complete.Args) (words []string) {
	l, err := p.logForReading(logFlag{Log: p.Getenv("CCDESTROY_LOG")})
	if err != nil {
		return nil
	}
	left := undoing(p, l)
	var ids, newest []string
	_, _ = l.History(audit.Query{Limit: 100}, func(r audit.Record, _ []byte) error {
		d, _ := record.ParseDetails(r.Event)
		var volumes []string
		for _, k := range left(r.Event, d) {
			volumes = append(volumes, k.Name)
		}
		switch {
		case len(volumes) == 0:
		case slices.Contains(a.Completed, r.ID):
			words = volumes
		default:
			ids = append(ids, r.ID)
		}
		if newest == nil {
			newest = volumes
		}
		return nil
	})
	if words == nil {
		words = slices.Concat(ids, newest)
	}
	return names(words)
}

// known are the volumes and projects of the engine and of the newest events.
func (p Process) known() (volumes, projects []string) {
	ctx, cancel := context.WithTimeout(context.Background(), completionPatience)
	defer cancel()
	if client, err := p.connect(engineFlags{}); err == nil {
		defer client.Close()
		if snap, err := client.Snapshot(ctx, inventory.Scope{}); err == nil {
			for _, v := range snap.Volumes {
				volumes, projects = append(volumes, v.Name), append(projects, v.Labels[inventory.LabelProject])
			}
			for _, c := range snap.Containers {
				projects = append(projects, c.Labels[inventory.LabelProject])
			}
		}
	}
	if l, err := p.logForReading(logFlag{Log: p.Getenv("CCDESTROY_LOG")}); err == nil {
		_, _ = l.History(audit.Query{Limit: 100}, func(r audit.Record, _ []byte) error {
			d, _ := record.ParseDetails(r.Event)
			volumes, projects = append(volumes, r.DataAffected...), append(projects, d.Project)
			return nil
		})
	}
	return names(volumes), names(projects)
}

// names sorts, and leaves out what a shell could not take as one plain word.
func names(all []string) []string {
	all = slices.DeleteFunc(all, func(n string) bool {
		return n == "" || strings.ContainsFunc(n, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("'\"`$\\;&|<>()", r) })
	})
	slices.Sort(all)
	return slices.Compact(all)
}
