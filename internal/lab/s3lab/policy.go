package s3lab

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Documented is the JSON block of docs/store.md that follows a heading, with the
// bucket, the prefix and the accounts of a test in place of those of the page.
func Documented(t testing.TB, root, heading, bucket, prefix string, accounts map[string]string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "store.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "\n"+heading+"\n")
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(after)
	if !found || block == nil {
		t.Fatalf("docs/store.md has no JSON behind %q", heading)
	}
	text := strings.NewReplacer("acme-audit", bucket, "teardowns", prefix).Replace(block[1])
	for arn, account := range accounts {
		if !strings.Contains(text, arn) {
			t.Fatalf("%s is not in %s", arn, text)
		}
		text = strings.ReplaceAll(text, arn, account)
	}
	return text
}
