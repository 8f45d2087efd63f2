package audit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// A verifier that somebody else wrote from docs/audit-format.md comes to the
// same verdict, on whole logs and on spoilt ones.
func TestSecondVerifier(t *testing.T) {
	need.Command(t, "python3")
	dir := t.TempDir()
	var list strings.Builder
	verdicts, some, many := map[string]bool{}, often(53, 509), often(211, 2003)
	ask := func(data []byte, head string) {
		name := filepath.Join(dir, fmt.Sprint(len(verdicts)))
		put(t, name, data)
		fmt.Fprintf(&list, "%s %s\n", name, head)
		var heads []Head
		if head != "" {
			h, err := ParseHead(head)
			if err != nil {
				t.Fatal(err)
			}
			heads = append(heads, h)
		}
		verdicts[name] = inMemory(t, data, heads...).Intact()
	}
	for _, s := range shapes(t) {
		ask(s.data, s.head.Word())
		ask(s.data, strings.Repeat("0", len(s.head.Log))+s.head.Word()[len(s.head.Log):])
		n := 0
		tamper(s.data, func(_ string, _ int, data []byte) {
			if n++; n%some == 0 {
				ask(data, "")
			}
			if n%many == 0 {
				ask(data, s.head.Word())
			}
		})
	}
	put(t, filepath.Join(dir, "list"), []byte(list.String()))
	out, err := exec.Command("python3", "testdata/verify.py", filepath.Join(dir, "list")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	asked := 0
	for line := range strings.Lines(string(out)) {
		name, verdict, _ := strings.Cut(strings.TrimSpace(line), "\t")
		asked++
		if (verdict == "ok") != verdicts[name] {
			data, _ := os.ReadFile(name)
			t.Errorf("%s: %q, but here intact is %t: %q", name, verdict, verdicts[name], brief(inMemory(t, data)))
		}
	}
	if asked != len(verdicts) || asked < often(1000, 100) {
		t.Errorf("%d of %d logs were looked at", asked, len(verdicts))
	}
	t.Logf("%d logs, the same verdict on each", asked)
}
