package makefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

// Options say what to change, and into what.
type Options struct {
	Target string // whose recipe tears down
	// Fallback makes the recipe run docker compose down -v, after a warning, where
	// ccdestroy is not installed. Without it such a machine destroys nothing.
	Fallback bool
}

// Change is a change to a Makefile that has not been made yet.
type Change struct {
	Path    string // with symbolic links resolved, since the file itself is replaced
	Line    int    // the first line that goes, or the last line before what comes
	Removed []string
	Added   []string // empty where the target runs ccdestroy already
	Others  []int    // other lines that remove volumes with Compose, and stay

	text string // of the file after the change
	mode fs.FileMode
	made bool // the file is new
}

// Plan finds out how to change the Makefile at path, or the one in dir that make
// would read; where there is none it is made.
func Plan(dir, path string, o Options) (Change, error) {
	c, within := Change{Path: path, mode: 0o644}, ""
	if path == "" {
		c.Path, within = find(dir), dir
	}
	if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" { // -f means it everywhere else
		return c, fault.Usage("ccdestroy init -f "+filepath.Base(path)+"; or ccdestroy init --makefile", "%q is not a Makefile", path)
	}
	real, data, err := durable.ReadWithin(within, c.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && path == "":
		c.made = true
	case err != nil:
		return c, &fault.Fault{Err: err, Try: "ccdestroy init --makefile -f FILE", Code: fault.ExitUsage}
	default:
		c.Path = real
	}
	if err := c.plan(string(data), o); err != nil {
		return c, &fault.Fault{Err: fmt.Errorf("%s: %w", c.Path, err), Try: "change it by hand: docs/makefile.md", Code: fault.ExitFailed}
	}
	return c, nil
}

// find is the file that make reads, in make's own order.
func find(dir string) string {
	for _, name := range []string{"GNUmakefile", "makefile", "Makefile"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name)
		}
	}
	return filepath.Join(dir, "Makefile")
}

// Write makes the change. A file that was there keeps its mode and its owner.
func (c Change) Write() error {
	if c.made {
		return durable.ReplaceFile(c.Path, []byte(c.text), c.mode)
	}
	return durable.RewriteFile(c.Path, []byte(c.text))
}

var targetName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

func (c *Change) plan(text string, o Options) error {
	if !targetName.MatchString(o.Target) {
		return fmt.Errorf("%q is not the name of a target", o.Target)
	}
	lines := strings.SplitAfter(text, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	end := "\n"
	if len(lines) > 0 && strings.HasSuffix(lines[0], "\r\n") {
		end = "\r\n"
	}
	recipe, err := recipeOf(lines, o.Target)
	if err != nil {
		return err
	}
	if recipe == nil {
		c.add(lines, end, o)
	} else if err := c.replace(lines, recipe, o); err != nil {
		return err
	}
	for i, line := range lines {
		if d := downIn(line); d != nil && d.volumes && i != c.Line-1 {
			c.Others = append(c.Others, i+1)
		}
	}
	return nil
}

// add puts the target at the end of the file.
func (c *Change) add(lines []string, end string, o Options) {
	c.Line = len(lines)
	if c.Line > 0 {
		c.Added = append(c.Added, "")
	}
	c.Added = append(c.Added, ".PHONY: "+o.Target, o.Target+": ## Tear down with volumes, audited (was: docker compose down -v)",
		"\t"+down{}.command(o.Fallback))
	if c.Line > 0 && !strings.HasSuffix(lines[c.Line-1], "\n") {
		lines[c.Line-1] += end
	}
	c.text = strings.Join(lines, "") + strings.Join(c.Added, end) + end
}

// replace changes the command in the recipe, whose lines are given by their index.
func (c *Change) replace(lines []string, recipe []int, o Options) error {
	var at []int
	for _, i := range recipe {
		if strings.Contains(lines[i], "ccdestroy") {
			c.Line = i + 1
			if o.Fallback && downIn(lines[i]) == nil {
				return fmt.Errorf("line %d: the target %s runs ccdestroy already, and has no fallback", i+1, o.Target)
			}
			return nil // as it should be
		}
		if downIn(lines[i]) != nil {
			at = append(at, i)
		}
	}
	switch {
	case len(at) == 0:
		return fmt.Errorf("line %d: the recipe of %s has no docker compose down", recipe[0]+1, o.Target)
	case len(at) > 1:
		return fmt.Errorf("line %d: the recipe of %s has a second docker compose down", at[1]+1, o.Target)
	}
	i := at[0]
	d := downIn(lines[i])
	switch {
	case !d.volumes:
		return fmt.Errorf("line %d: this docker compose down keeps the volumes, and ccdestroy would destroy them", i+1)
	case compose.MatchString(lines[i][d.to:]):
		return fmt.Errorf("line %d: a second docker compose down follows in this line", i+1)
	case instead(lines[i][d.to:]):
		return fmt.Errorf("line %d: what follows || would run whenever ccdestroy refuses", i+1)
	case o.Fallback && !begins(lines[i][:d.from]):
		return fmt.Errorf("line %d: another command or a variable comes before docker compose down, and the fallback cannot follow it", i+1)
	case strings.HasSuffix(strings.TrimRight(lines[i], "\r\n"), `\`):
		return fmt.Errorf("line %d: the command continues on the next line", i+1)
	}
	changed := lines[i][:d.from] + d.command(o.Fallback) + lines[i][d.to:]
	c.Line = i + 1
	c.Removed, c.Added = []string{strings.TrimRight(lines[i], "\r\n")}, []string{strings.TrimRight(changed, "\r\n")}
	all := slices.Clone(lines)
	all[i] = changed
	c.text = strings.Join(all, "")
	return nil
}
