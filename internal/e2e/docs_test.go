package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/need"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// documented are the commands in the code blocks of a page: lines that begin
// with the program's name, perhaps after a prompt, up to their comment.
func documented(t *testing.T, path string) (commands []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, fenced, code := "", false, true
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		// A block that is indented begins behind an empty line.
		code = strings.TrimSpace(line) == "" || fenced || code && strings.HasPrefix(line, "    ")
		if !code {
			continue
		}
		line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
		line = strings.TrimPrefix(strings.TrimPrefix(line, "- "), "run: ")
		line = strings.TrimPrefix(line, "source <(")
		if input, piped, ok := strings.Cut(line, "' | ccdestroy "); ok && strings.HasPrefix(input, "echo '") {
			commands = append(commands, input+"' | ccdestroy "+piped)
		}
		if strings.Contains(line, `"$1"`) {
			continue // within a script, which a test of its own runs
		}
		if strings.HasPrefix(line, "id=$(ccdestroy") {
			before = line + "\n" // the next command needs it
			continue
		}
		if strings.HasPrefix(line, "ccdestroy watch") || strings.HasPrefix(line, "ccdestroy hook") {
			continue // they read, or do not end; tests of their own run them
		}
		if strings.HasPrefix(line, "ccdestroy audit prove") || strings.Contains(line, "--store-key KEY") {
			continue // they need a store that was sealed; those of internal/store have one
		}
		if strings.HasPrefix(line, "ccdestroy guard") {
			continue // it changes the machine and its engine; a test with an engine of its own runs it
		}
		if !strings.HasPrefix(line, "ccdestroy") || strings.HasPrefix(line, "ccdestroy:") {
			continue
		}
		line = regexp.MustCompile(`\s{2,}\S.*$|\s+#.*$`).ReplaceAllString(strings.TrimSpace(line), "")
		commands = append(commands, before+strings.TrimSuffix(line, ")"))
		before = ""
	}
	return commands
}

// answering runs a command on a terminal, and types what it asks for.
func (s *stack) answering(command string) (code int, screen string) {
	s.t.Helper()
	p := s.onTerminal(s.command("", "sh", "-c", command))
	ended, typed := make(chan int, 1), 0
	go func() { ended <- p.wait() }()
	for {
		select {
		case code = <-ended:
			return code, plainText(p.seen())
		case <-time.After(20 * time.Millisecond):
		}
		if asked := asksFor.FindAllStringSubmatch(plainText(p.seen()), -1); len(asked) > typed {
			p.send(asked[typed][1] + "\r")
			typed++
		}
	}
}

// asksFor is a question for a word.
var asksFor = regexp.MustCompile(`Type (\S+) to [^\n]*: `)

// Every command that the README and docs/ show is one that works, in a script and
// on a terminal.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"script", "terminal"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			walkDocs(t, where == "terminal")
		})
	}
}

func walkDocs(t *testing.T, terminal bool) {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, page := range append(pages, "../../README.md") {
		all = append(all, documented(t, page)...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	s := newStack(t, one(single))
	s.env = append(s.env, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"), "CI_COMMIT_REF_SLUG=main", "CI_PIPELINE_ID=7", "BUILD_NUMBER=7", "PAGER=cat")
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("acme-audit", false)
	s.env = append(append(s.env, server.Environ(server.Root)...), "CCDESTROY_STORE=s3://acme-audit/teardowns")
	s.docker("compose", "up", "--detach")
	s.ccdestroy()
	old, err := os.ReadFile(s.logPath())
	if err != nil {
		t.Fatal(err)
	}
	s.write("old/audit.jsonl", string(old))
	id, head := s.last().ID, strings.TrimSpace(s.ccdestroy("audit", "head").stdout)
	s.write("heads", head+"\n")
	s.write("delete-dashboard.sh", "#!/bin/sh\n")
	s.write("data/x", "")
	need.Run(t, "chmod", "+x", filepath.Join(s.dir, "delete-dashboard.sh"))
	s.docker("compose", "up", "--detach")
	exported := s.ccdestroy("export")
	if exported.code != 0 {
		t.Fatal(exported.stderr)
	}
	ran, kept := 0, ""
	for _, command := range all {
		if strings.HasPrefix(command, "ccdestroy init --makefile") {
			_ = os.Remove(filepath.Join(s.dir, "Makefile")) // of the other way to make one
		}
		switch {
		case strings.HasPrefix(command, "ccdestroy undo"), strings.HasPrefix(command, "ccdestroy trash purge"):
			s.docker("compose", "up", "--detach")
			s.ccdestroy("--keep-for", "1h", "--yes")
			kept = s.last().ID
		case strings.HasPrefix(command, "ccdestroy restore"):
			s.docker("compose", "down", "--volumes")
		case len(s.running()) == 0:
			s.docker("compose", "up", "--detach")
		}
		command = strings.NewReplacer("prune --yes", "prune --dry-run", "reap --yes", "reap --dry-run", // other tests' volumes are on this engine
			"01M84SCV", id, "trash purge 01KB3Z8A0C", "trash purge --yes "+kept, "trash purge --expired", "trash purge --yes --expired", "01KB3Z8A0C", kept, "EXPORT", strings.TrimSpace(exported.stdout), "pgdata", "data", "--as copy", "--as "+s.name+"-copy", "WORD", head, "ssh audit@host 'cat >> heads'", "cat", "${{ github.run_id }}", "7", "man -l -", "cat", "| source", "| cat", "docker volume rm shop_cache", "docker volume ls").Replace(command)
		ran++
		if terminal {
			if code, screen := s.answering(command); code != 0 {
				t.Errorf("%s: exit %d\n%s", command, code, screen)
			}
		} else if r := run(t, s.command("", "sh", "-c", command)); r.code != 0 {
			t.Errorf("%s: exit %d\n%s", command, r.code, r.stderr)
		}
	}
	t.Logf("%d commands", ran)
	if ran < 25 {
		t.Errorf("only %d commands were found: %q", ran, all)
	}
}
