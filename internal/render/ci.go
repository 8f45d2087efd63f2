package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
	"github.com/contextcore/ccdestroy/internal/record"
)

// summaryRows is how many resources a step summary lists, and summaryLimit about
// how many bytes it takes: GitHub takes 1 MiB for a whole step.
const (
	summaryRows  = 500
	summaryLimit = 256 << 10
)

// annotationLimit is how many bytes of a message GitHub shows.
const annotationLimit = 4000

// GitHubAnnotation is the workflow command that marks how a teardown ended: a
// warning where it was partial or is not known, an error where it failed, ""
// where all is well.
// (https://docs.github.com/actions/reference/workflow-commands-for-github-actions)
func GitHubAnnotation(e record.Ending) string {
	var kept []string
	for _, r := range e.Verdict.Remaining {
		kept = append(kept, r.String())
	}
	left := strings.Join(kept, "\n")
	project := e.Inventory.Project
	switch {
	case e.Unrecorded != nil:
		return GitHubCommand("error", "The outcome could not be recorded", e.Unrecorded.Error())
	case e.Outcome == audit.Pending:
		return GitHubCommand("warning", "Unknown: what happened to "+project, "ccdestroy reconcile looks again")
	case e.Outcome == audit.Partial:
		return GitHubCommand("warning", "Partly destroyed "+project, left)
	case e.Outcome != audit.Success:
		return GitHubCommand("error", "Nothing of "+project+" was destroyed", left)
	}
	return ""
}

// GitHubCommand is one workflow command, error or warning, on a line of its own.
func GitHubCommand(level, title, message string) string {
	var lines []string
	for line := range strings.Lines(message) {
		lines = append(lines, Terminal(strings.TrimSuffix(line, "\n")))
	}
	message = strings.Join(lines, "\n")
	if len(message) > annotationLimit {
		message = strings.ToValidUTF8(message[:annotationLimit], "") + " …"
	}
	if message == "" {
		message = title
	}
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	return fmt.Sprintf("::%s title=%s::%s\n", level, property.Replace(Terminal(title)), data.Replace(message))
}

// GitHubSummary writes how a teardown ended as Markdown for the step summary.
func GitHubSummary(w io.Writer, e record.Ending) error {
	var b strings.Builder
	project, v := markdown(e.Inventory.Project), e.Verdict
	switch {
	case e.Outcome == audit.Pending:
		fmt.Fprintf(&b, "### Unknown: what happened to %s\n\n", project)
	case e.Inventory.Empty() && e.Outcome == audit.Success && len(v.Lost) == 0:
		fmt.Fprintf(&b, "### Nothing to destroy for %s\n\n", project)
	case e.Outcome == audit.Success:
		fmt.Fprintf(&b, "### Destroyed %s\n\n", project)
	case e.Outcome == audit.Partial:
		fmt.Fprintf(&b, "### Partly destroyed %s\n\n", project)
	default:
		fmt.Fprintf(&b, "### Nothing of %s was destroyed\n\n", project)
	}
	if went := what(v); e.Outcome != audit.Pending && went != nothing {
		fmt.Fprintf(&b, "%s in %s. ", went, seconds(e.Duration))
	}
	fmt.Fprintf(&b, "Recorded as %s.\n\n", markdown(e.ID))
	if len(v.Resources) > 0 {
		b.WriteString("| | name | size | result | why |\n|---|---|---:|---|---|\n")
	}
	for i, r := range v.Resources {
		if i == summaryRows || b.Len() > summaryLimit {
			fmt.Fprintf(&b, "\n… and %d more.\n", len(v.Resources)-i)
			break
		}
		size, result := "", string(r.Result)
		if r.Size != nil {
			size = human(r.Size.Bytes)
		}
		if r.Result == inventory.Remained && !r.Asked {
			result = "kept"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.Kind, markdown(short(r)), size, result, markdown(r.Reason))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// GitHubStopped writes why a teardown did not happen as Markdown for the step
// summary. try is what to try, "" for nothing.
func GitHubStopped(w io.Writer, why, try string) error {
	text := "### ccdestroy destroyed nothing\n\n"
	for line := range strings.Lines(why) {
		text += markdown(strings.TrimSpace(line)) + "\n"
	}
	if try != "" {
		text += "\nTry: " + markdown(try) + "\n"
	}
	_, err := io.WriteString(w, text+"\n")
	return err
}

// short is a resource's name; of an anonymous volume, whose name is long and says
// nothing, its beginning and what it belongs to.
func short(r inventory.Resource) string {
	switch {
	case !r.Anonymous:
		return r.Name
	case len(r.UsedBy) > 0:
		return beginning(r.Name) + " (of " + strings.Join(r.UsedBy, ", ") + ")"
	}
	return beginning(r.Name) + " (anonymous)"
}

func beginning(name string) string { return name[:min(12, len(name))] + "…" }

// brief is a volume's name; of an anonymous one, which fills a line, its beginning.
func brief(name string) string {
	if inventory.LooksAnonymous(inventory.Volume{Name: name}) {
		return beginning(name)
	}
	return name
}

// markdown makes a text inert in Markdown and in its tables: of ASCII, letters,
// digits and spaces stay, and the rest becomes character references.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range Terminal(s) {
		if r < 0x80 && r != ' ' && !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Folded writes a text that a CI system's log shows folded, under a title. Of
// systems that cannot fold it writes the text.
func Folded(w io.Writer, vendor, title string, now time.Time, write func(io.Writer) error) error {
	begin, end := "", ""
	switch vendor {
	case "github":
		begin, end = "::group::"+Terminal(title)+"\n", "::endgroup::\n"
	case "gitlab":
		// https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
		begin = fmt.Sprintf("\x1b[0Ksection_start:%d:ccdestroy[collapsed=true]\r\x1b[0K%s\n", now.Unix(), Terminal(title))
		end = fmt.Sprintf("\x1b[0Ksection_end:%d:ccdestroy\r\x1b[0K\n", now.Unix())
	}
	if _, err := io.WriteString(w, begin); err != nil {
		return err
	}
	if err := write(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, end)
	return err
}
