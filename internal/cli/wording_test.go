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
var odd = regexp.MustCompile(`(?i)\b(1 thing|somebody named|and this command again|the same command again$|is no time|exported before that|when none is named|as far as it is unique|it is the same word|whoever made them all|cannot be told|can't be told|all the same|is no (directory|file|event|number|time)|nobody is asked where|worth what|mend )\b`)

// pages are the pages for users, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, "../../README.md", "../../CHANGELOG.md") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = string(data)
	}
	return all
}

// Lines of pages are at most 120 columns wide, but for tables, code and what has
// no place to break.
func TestPagesAreNarrow(t *testing.T) {
	for path, text := range pages(t) {
		fenced := false
		for i, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			}
			code := fenced || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "<")
			if !code && utf8.RuneCountInString(line) > 120 && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s:%d: %d columns", path, i+1, utf8.RuneCountInString(line))
			}
		}
	}
}

// Odd phrases stay out of pages and of the texts of the program.
func TestWording(t *testing.T) {
	for path, text := range pages(t) {
		for i, line := range strings.Split(text, "\n") {
			if found := odd.FindString(line); found != "" {
				t.Errorf("%s:%d: %q", path, i+1, found)
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
