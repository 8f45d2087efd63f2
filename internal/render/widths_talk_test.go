package render

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
)

func TestTalkFits(t *testing.T) {
	checks := []Check{
		{Name: "docker", State: "ok", Text: "/usr/bin/docker"},
		{Name: "compose", State: "fail", Text: "docker compose does not answer: unknown shorthand flag: 'p' in -p; is the plugin installed for this user?", Try: "install the Docker Compose plugin"},
		{Name: "undo", State: "warn", Text: "volumes can be kept; 3 are, 1.2 GB; 2 have expired, or take too much of the disk", Try: "ccdestroy trash purge --expired"},
	}
	sources := []Source{{Name: "project", Place: "/src/shop/.ccdestroy.yaml", Holds: "protect, keep-for"}}
	settings := []Setting{{Key: "keep-for", Value: "7d", From: "default"}, {Key: "protect", Value: "*_pgdata", From: "/etc/ccdestroy.yaml:3", Enforced: true}}
	for name, write := range map[string]func(io.Writer, Style) error{
		"doctor":   func(w io.Writer, style Style) error { return Checks(w, checks, style) },
		"settings": func(w io.Writer, style Style) error { return Settings(w, sources, settings, style) },
		"complaint": func(w io.Writer, style Style) error {
			_, err := io.WriteString(w, style.Complaint("the audit record could not be written first:\nopen /srv/shop/.contextcore/audit.jsonl: no space left on device, and nothing was destroyed for that reason\nnothing was destroyed",
				"make room; or ccdestroy --log /var/log/ccdestroy/a-log-on-another-disk/audit.jsonl --project-directory /srv/shop --reason disk"))
			return err
		},
	} {
		fits(t, name, write)
	}
}

// A command in a text is never broken, and one that begins with docker where this
// program was called so.
func TestComplaintsCanBePasted(t *testing.T) {
	command := "ccdestroy restore /srv/shop/backups/shop-20261123T101500Z shop_pgdata --as shop_pgdata-restored --reason rehearsal"
	style := Style{Width: 80, Program: []string{"docker", "ccdestroy"}}
	if got := style.Complaint("no", command); got != "ccdestroy: no\nTry: docker "+command+"\n" {
		t.Errorf("%q", got)
	}
	note := "prune of 01M8KJ72GMRP66CY0N1WB863CR stays unfinished: a script recorded it, and can end it: "
	if got, want := style.Talk("ccdestroy: "+note+command), "ccdestroy: prune of 01M8KJ72GMRP66CY0N1WB863CR stays unfinished: a script\n  recorded it, and can end it:\n  docker "+command; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	if got := style.Talk("ccdestroy: it is over: ccdestroy audit"); got != "ccdestroy: it is over: docker ccdestroy audit" {
		t.Errorf("%q", got)
	}
}

// What is kept for undo, in the page.
func TestReportPage(t *testing.T) {
	r := NewReport("audit.jsonl", "", now, audit.Report{})
	r.Undoing = undoable
	for _, one := range records(t) {
		if err := r.Add(one, nil); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "report.html", output(t, func(b *bytes.Buffer) error { return r.Page(b) }))
	if len(r.Rows) != 9 || r.Rows[2].Undo != "2026-11-30 15:05 UTC" || r.Rows[3].Undo != "" {
		t.Errorf("%+v", r.Rows)
	}
}

func TestSummaryPage(t *testing.T) {
	e := partly()
	e.Verdict.Resources = append(parsed(records(t)[2]).Resources, e.Verdict.Remaining...)
	golden(t, "summary.md", output(t, func(b *bytes.Buffer) error { return GitHubSummary(b, e) }))
	golden(t, "summary-stopped.md", output(t, func(b *bytes.Buffer) error {
		return GitHubStopped(b, "protected by the label ccdestroy.protect=true: volume shop_pgdata", "ccdestroy --unprotect shop_pgdata")
	}))
}

// timing is what a bar says of how fast it went.
var timing = regexp.MustCompile(` +[0-9.]+ [kMG]?B/s +\S+`)

// frames are what the bars have come to, one after another: the total ends each.
// What is no terminal gets them all, below each other.
func frames(text, total string) (all [][]string) {
	var frame []string
	for line := range strings.Lines(text) {
		frame = append(frame, strings.TrimRight(timing.ReplaceAllString(line, " RATE LEFT"), " \n\r"))
		if strings.HasPrefix(line, total) {
			all, frame = append(all, frame), nil
		}
	}
	return all
}

// The bars when all is over: what was stopped keeps where it was.
func TestProgressFits(t *testing.T) {
	fits(t, "progress", func(w io.Writer, style Style) error {
		var b bytes.Buffer
		p := NewProgress(&b, style)
		p.Begin(3, 3_000_000)
		a, c, d := p.Volume("shop_pgdata", 1_000_000), p.Volume("shop_uploads_with_a_long_name", 1_500_000), p.Volume("shop_cache", 500_000)
		a.Read(1_000_000)
		a.Verify()
		a.End(nil)
		c.Read(700_000)
		c.End(errors.New("interrupted"))
		d.Read(500_000)
		d.Verify()
		d.End(nil)
		p.Wait()
		all := frames(b.String(), "3 volumes")
		_, err := io.WriteString(w, strings.Join(all[len(all)-1], "\n")+"\n")
		return err
	})
}

// A volume that was shown as read to the end is done in the end.
func TestProgressEndsDone(t *testing.T) {
	var b drawn
	p := NewProgress(&b, Style{Width: 80})
	v := p.Volume("shop_data", 1000)
	v.Read(1000)
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(b.String(), "1 kB of 1 kB"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is shown: %q", b.String())
		}
	}
	v.Verify()
	v.End(nil)
	p.Wait()
	text := b.String()
	if last := text[strings.LastIndex(text, "shop_data"):]; !strings.HasSuffix(strings.TrimSpace(last), "done") {
		t.Errorf("it ends with %q", last)
	}
}

// drawn is what was written so far, for a look while more is.
type drawn struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (d *drawn) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.Write(p)
}

func (d *drawn) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.String()
}

// Of more volumes than the terminal has lines only those at work have a bar.
func TestProgressKeepsToTheScreen(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, Style{Width: 80, Height: 5})
	p.Begin(40, 40_000)
	for range 40 {
		v := p.Volume("shop_data", 1000)
		v.Read(1000)
		v.End(nil)
	}
	p.Wait()
	all := frames(b.String(), "40 volumes")
	for _, frame := range all {
		if len(frame) > 4 { // the cursor has a line too
			t.Errorf("%d lines at once:\n%s", len(frame), strings.Join(frame, "\n"))
		}
	}
	if last := all[len(all)-1]; !strings.Contains(last[len(last)-1], "40 kB of 40 kB") {
		t.Errorf("the total is not all: %q", last)
	}
}
