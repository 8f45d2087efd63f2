package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/trees"
)

// When the export fails nothing is destroyed, what ran runs again, and the
// record says so.
func TestExportFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, s *stack, p *proxy) (args []string)
		says    string
	}{
		{"full disk", func(t *testing.T, s *stack, _ *proxy) []string {
			need.Run(t, "mkdir", filepath.Join(s.dir, "small"))
			need.Run(t, "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", filepath.Join(s.dir, "small"))
			t.Cleanup(func() { need.Run(t, "umount", filepath.Join(s.dir, "small")) })
			s.docker("compose", "exec", "-T", "web", "sh", "-c", "head -c 2000000 /dev/urandom > /uploads/big")
			return []string{"--export", "small"}
		}, "no space left on device"},
		{"into the volume itself", func(t *testing.T, s *stack, _ *proxy) []string {
			need.Run(t, "ln", "-s", s.mountpoint("PROJ_uploads"), filepath.Join(s.dir, "link"))
			return []string{"--export", "link/backups"}
		}, "would lie in volume"},
		{"a file in the way", func(t *testing.T, s *stack, _ *proxy) []string {
			s.write("file", "")
			return []string{"--export", "file"}
		}, "a file with this name is in the way"},
		{"the stream breaks off", func(_ *testing.T, _ *stack, p *proxy) []string {
			p.cutAfter.Store(2048)
			return []string{"--export", "saved", "-H", p.host()}
		}, "the stream ended early"},
		{"what the engine would leave out", func(t *testing.T, s *stack, p *proxy) []string {
			if err := trees.Hard(s.mountpoint("PROJ_uploads"), trees.Options{Long: true}); err != nil {
				t.Fatal(err)
			}
			return []string{"--export", "saved", "-H", p.host()}
		}, "is NOT in the export"},
		{"somebody writes to a volume at rest", func(t *testing.T, s *stack, _ *proxy) []string {
			path := filepath.Join(s.mountpoint("PROJ_uploads"), "growing")
			if err := os.WriteFile(path, make([]byte, 64<<20), 0o644); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			t.Cleanup(func() { close(done) })
			go func() {
				for i := int64(0); ; i++ {
					select {
					case <-done:
						return
					default:
						_ = os.Chtimes(path, time.Unix(i, 0), time.Unix(i, 0))
					}
				}
			}()
			return []string{"--export", "saved"}
		}, "it changed while it was read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			need.Root(t)
			s := newStack(t, one(talker))
			p := newProxy(t)
			s.talking()
			r := s.ccdestroy(c.prepare(t, s, p)...)
			last := s.last()
			if r.code != 5 || last.Outcome != "failed" || last.ExportPath != "" || len(last.DataAffected) > 0 {
				t.Errorf("exit %d, %s, %q\n%s", r.code, last.Outcome, last.ExportPath, r.stderr)
			}
			if !strings.Contains(r.stderr, "nothing was destroyed") || !strings.Contains(r.stderr, c.says) || !strings.Contains(last.Details.Error, c.says) || !strings.Contains(r.stderr, "\nTry: ") {
				t.Errorf("it says\n%s\nand records %q", r.stderr, last.Details.Error)
			}
			s.untouched()
			if whole, _ := filepath.Glob(filepath.Join(s.dir, "*", "*Z")); len(whole) > 0 {
				t.Errorf("half an export looks whole: %q", whole)
			}
		})
	}
}

// Something comes between in the middle of an export: the helper is removed, or
// a service started again.
func TestExportDisturbed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		disturb func(s *stack)
		says    string
	}{
		{"the helper is removed", func(s *stack) {
			s.docker("rm", "--force", s.docker("ps", "--all", "--quiet", "--filter", "label=io.ccdestroy.helper=true", "--filter", "volume=PROJ_data"))
		}, "No such container"},
		{"a service is started", func(s *stack) { s.docker("start", "PROJ-web-1") }, "-web-1 was started meanwhile"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, one(talker))
			p := newProxy(t)
			s.talking()
			p.stall.Store(true)
			cmd := s.command("", binary, "--export", "saved", "-H", p.host())
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the export to read", func() bool { return p.waiting.Load() > 0 })
			c.disturb(s)
			p.stall.Store(false)
			_ = cmd.Wait()
			if code, last := cmd.ProcessState.ExitCode(), s.last(); code != 5 || last.Outcome != "failed" || !strings.Contains(last.Details.Error, c.says) {
				t.Errorf("exit %d, %s: %s", code, last.Outcome, last.Details.Error)
			}
			s.untouched()
		})
	}
}
