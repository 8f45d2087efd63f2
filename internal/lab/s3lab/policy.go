package s3lab

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Documented is the JSON block of docs/store.md that follows a heading. root is the
// directory of the module.
func Documented(t testing.TB, root, heading string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "store.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "\n### "+heading+"\n")
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(after)
	if !found || block == nil {
		t.Fatalf("docs/store.md has no JSON behind %q", heading)
	}
	return block[1]
}
