package makefile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	errPrefix = errors.New("it sets .RECIPEPREFIX, so a line that begins with a tab is no recipe")
	rule      = regexp.MustCompile(`^([^\t#=:][^#=:]*?)\s*(::?)([^=].*|)$`)
)

// recipeOf returns the indexes of the lines of a target's recipe, or none if no
// rule with a recipe is for it.
func recipeOf(lines []string, target string) (recipe []int, err error) {
	needs, defining := 0, false // the line with prerequisites; within define … endef
	for i := 0; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], "\r\n")
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if defining = word == "define" || defining && word != "endef"; defining {
			continue
		}
		if strings.HasPrefix(strings.TrimSpace(line), ".RECIPEPREFIX") {
			return nil, errPrefix
		}
		m := rule.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		names := strings.Fields(m[1])
		if !slices.Contains(names, target) {
			continue
		}
		if _, inline, found := strings.Cut(m[3], ";"); found && strings.TrimSpace(inline) != "" {
			return nil, fmt.Errorf("line %d: the recipe of %s is in the line of its rule", i+1, target)
		}
		body := below(lines, i)
		switch {
		case len(body) == 0:
			if before, _, _ := strings.Cut(m[3], "#"); strings.TrimSpace(before) != "" && !strings.Contains(before, "=") {
				needs = i + 1
			}
			continue
		case recipe != nil || m[2] == "::":
			return nil, fmt.Errorf("line %d: %s has several recipes", i+1, target)
		case len(names) > 1:
			return nil, fmt.Errorf("line %d: the recipe is for other targets, too: %s", i+1, strings.Join(names, " "))
		}
		recipe = body
	}
	if recipe == nil && needs > 0 {
		return nil, fmt.Errorf("line %d: %s has no recipe of its own, and what it depends on would still run", needs, target)
	}
	return recipe, nil
}

// below are the lines of a recipe: those that begin with a tab, with empty lines,
// comments and conditionals between them.
func below(lines []string, i int) (body []int) {
	for i++; i < len(lines); i++ {
		text := strings.TrimSpace(lines[i])
		word, _, _ := strings.Cut(text, " ")
		switch {
		case strings.HasPrefix(lines[i], "\t"):
			body = append(body, i)
		case text == "", strings.HasPrefix(text, "#"), slices.Contains([]string{"ifdef", "ifndef", "ifeq", "ifneq", "else", "endif"}, word):
		default:
			return body
		}
	}
	return body
}

// down is a docker compose down in a line.
type down struct {
	from, to int // its place in the line, in bytes
	text     string
	project  []string // flags before the word down
	flags    []string // what follows it, but for -v
	volumes  bool
}

// compose finds the command up to what ends it: an operator of the shell, or the
// line. A $(COMPOSE) could be anything, and does not count.
var compose = regexp.MustCompile(`\bdocker(?:-|[ \t]+)compose((?:[ \t]+(?:\$\([^)]*\)|[^;&|()\s])+)*?)[ \t]+down((?:[ \t]+(?:\$\([^)]*\)|[^;&|()\s\\])+)*)`)

func downIn(line string) *down {
	m := compose.FindStringSubmatchIndex(line)
	if m == nil || !strings.HasPrefix(line, "\t") || strings.HasPrefix(strings.TrimSpace(line), "#") {
		return nil
	}
	d := &down{from: m[0], to: m[1], text: line[m[0]:m[1]], project: strings.Fields(line[m[2]:m[3]])}
	for _, word := range strings.Fields(line[m[4]:m[5]]) {
		if word == "-v" || word == "--volumes" || word == "--volumes=true" {
			d.volumes = true
			continue
		}
		d.flags = append(d.flags, word)
	}
	return d
}

// begins reports whether a command can begin after what is before it in its line.
func begins(before string) bool {
	before = strings.TrimLeft(before, "\t @+-")
	before = strings.TrimSpace(before[strings.LastIndexAny(before, ";&|({")+1:])
	return before == "" || slices.Contains([]string{"then", "else", "do"}, before)
}

// instead reports whether something is run in place of a command that fails, given
// what follows that: something other than || true.
func instead(rest string) bool {
	for {
		_, after, found := strings.Cut(rest, "||")
		if !found {
			return false
		}
		words := strings.FieldsFunc(after, func(r rune) bool { return strings.ContainsRune(" \t\r\n;&|()", r) })
		if len(words) == 0 || !slices.Contains([]string{"true", "false", ":", "echo", "exit"}, words[0]) {
			return true
		}
		rest = after
	}
}

// warning is what a machine without ccdestroy says, in the words of a shell.
const warning = `echo "WARNING: ccdestroy is not installed: this teardown is not recorded, and a volume that survives goes unnoticed" >&2`

// command is what replaces it.
func (d down) command(fallback bool) string {
	words := []string{"ccdestroy"}
	if len(d.project)+len(d.flags) > 0 {
		words = slices.Concat(words, d.project, []string{"down"}, d.flags)
	}
	ours, theirs := strings.Join(words, " "), d.text
	if theirs == "" {
		theirs = "docker compose down -v"
	}
	if !fallback {
		return ours
	}
	return "if command -v ccdestroy >/dev/null 2>&1; then " + ours + "; else " + warning + "; " + theirs + "; fi"
}
