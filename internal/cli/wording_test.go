package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// odd are phrases that a native reader stumbles over.
var odd = regexp.MustCompile(`(?i)\b(` + strings.Join([]string{
	"1 thing", "somebody named", "and this command again", "the same command again$", "is no time", "exported before that", "when none is named",
	"as far as it is unique", "it is the same word", "whoever made them all", "cannot be told", "can't be told", "all the same",
	"is no (directory|file|event|number|time)", "nobody is asked where", "worth what", "mend ",
	"the deed", "says so aloud", "belong into", "belongs into", "in the moment of", "without a word", "counts for nothing", "goes on over",
	"goes on from", "go on from there", "in this very command", "told by the", "in the way of an older", "other data by now", "are they to",
	"an own", "as told", "is told to nobody", "somebody's words", "there is told", "has the worth", "tells something beside", "no lasting",
	"the space won", "half export", "half exports", "changed meanwhile",
}, "|") + `)\b`)

// pages are the pages for users, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, "../../README.md", "../../CHANGELOG.md", "../../CONTRIBUTING.md", "../../SECURITY.md") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = string(data)
	}
	return all
}

// Lines of pages are at most 120 columns wide, code too, but for tables and for what
// has no place to break.
func TestPagesAreNarrow(t *testing.T) {
	for path, text := range pages(t) {
		for i, line := range strings.Split(text, "\n") {
			table := strings.HasPrefix(line, "|") || strings.HasPrefix(line, "<")
			if !table && utf8.RuneCountInString(line) > 120 && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s:%d: %d columns", path, i+1, utf8.RuneCountInString(line))
			}
		}
	}
}

// Each release in the changelog has features and fixes apart, so that a reader who
// looks for one finds it.
func TestChangelog(t *testing.T) {
	text := pages(t)["../../CHANGELOG.md"]
	sections := strings.Split(text, "\n## ")[1:]
	for _, section := range sections {
		title, body, _ := strings.Cut(section, "\n")
		if title != "Unreleased" && !regexp.MustCompile(`^\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d$`).MatchString(title) {
			t.Errorf("%q is not \"Unreleased\" or like \"1.2.3 - 2026-11-24\"", title)
		}
		before, _, _ := strings.Cut(body, "\n### ")
		if strings.Contains(before, "- ") {
			t.Errorf("%s: an entry stands neither under Features nor under Fixes:\n%.200s", title, strings.TrimSpace(before))
		}
		for _, part := range strings.Split(body, "\n### ")[1:] {
			if kind, _, _ := strings.Cut(part, "\n"); kind != "Features" && kind != "Fixes" {
				t.Errorf("%s: %q", title, kind)
			}
		}
	}
	if len(sections) == 0 {
		t.Error("no section")
	}
}

// Odd phrases stay out of pages and of the texts of the program.
func TestWording(t *testing.T) {
	for path, text := range pages(t) {
		// Across the ends of lines: a page that is set anew has them elsewhere.
		for _, paragraph := range strings.Split(text, "\n\n") {
			if found := odd.FindString(strings.Join(strings.Fields(paragraph), " ")); found != "" {
				t.Errorf("%s: %q in %.80q", path, found, paragraph)
			}
		}
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "lab" {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
				if found := odd.FindString(text.Value); found != "" {
					t.Errorf("%s: %q in %s", files.Position(text.Pos()), found, text.Value)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
