package render

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// listed is how many volumes the screen names one by one before it sums up.
const listed = 50

// Inventory writes what will go and what stays, as the user is asked about it.
func Inventory(w io.Writer, inv inventory.Inventory, now time.Time, style Style) error {
	var b strings.Builder
	header(&b, inv)
	if inv.Empty() {
		fmt.Fprintf(&b, "\nNothing to destroy.\n")
	} else {
		fmt.Fprintf(&b, "\n%s\n\n", style.paint(Bad, "This destroys, for good:"))
		volumes(&b, inv, now, style)
		for _, line := range others(inv, inventory.Removed) {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	stays(&b, inv)
	for _, run := range inv.Runs {
		fmt.Fprintf(&b, "Runs: %s\n", Terminal(run))
	}
	for _, warning := range Warnings(inv) {
		fmt.Fprintf(&b, "%s\n", style.paint(Warn, "WARNING: "+Terminal(warning)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func header(b *strings.Builder, inv inventory.Inventory) {
	if inv.Project != "" {
		project(b, inv)
	}
	name := inv.Engine.Context
	if name == "" {
		name = "remote"
		if inv.Engine.Local {
			name = "local"
		}
	}
	fmt.Fprintf(b, "Docker    %s  %s, Engine %s\n", Terminal(name), Terminal(inv.Engine.Host), Terminal(inv.Engine.Version))
}

func project(b *strings.Builder, inv inventory.Inventory) {
	where := "found by its labels"
	if inv.Mode == inventory.Files {
		var names []string
		for _, f := range inv.Files {
			names = append(names, filepath.Base(f))
		}
		where = strings.Join(names, ", ") + " in " + inv.Dir
	}
	if len(inv.Services) > 0 {
		where += "; services " + strings.Join(inv.Services, ", ")
	}
	fmt.Fprintf(b, "Project   %s   (%s)\n", Terminal(inv.Project), Terminal(where))
}

func volumes(b *strings.Builder, inv inventory.Inventory, now time.Time, style Style) {
	t := table{style: style, indent: "  "}
	t.head("~VOLUME", "SIZE", "CREATED", "~IN USE BY", "LAST EXPORT")
	more := 0
	for _, r := range inv.Of(inventory.KindVolume, inventory.Removed) {
		switch {
		case r.Anonymous:
		case len(t.rows) > listed:
			more++
		default:
			t.add(cell{text: r.Name, color: Strong}, cell{text: volumeSize(r)}, cell{text: since(now, r.Created)}, cell{text: strings.Join(r.UsedBy, ", ")}, lastExport(r, now))
		}
	}
	if len(t.rows) > 1 {
		_ = t.flush(b) // into memory
	}
	if more > 0 {
		fmt.Fprintf(b, "  … and %d more; ccdestroy inventory --format json lists all\n", more)
	}
}

func lastExport(r inventory.Resource, now time.Time) cell {
	switch e := r.LastExport; {
	case e == nil:
		return cell{text: "-"}
	case e.At == "":
		return cell{text: "never", color: Warn}
	case !e.There:
		return cell{text: since(now, e.At) + " ago, gone", color: Warn}
	default:
		return cell{text: since(now, e.At) + " ago"}
	}
}

func volumeSize(r inventory.Resource) string {
	if r.Host != "" {
		return "entry only"
	}
	return sizeOf(r.Size)
}

// others sums up, a line a kind, what is not a named volume.
func others(inv inventory.Inventory, fate inventory.Fate) []string {
	var parts []string
	anonymous, bytes := 0, int64(0)
	for _, r := range inv.Of(inventory.KindVolume, fate) {
		if r.Anonymous {
			anonymous++
			if r.Size != nil {
				bytes += r.Size.Bytes
			}
		}
	}
	if anonymous > 0 {
		parts = append(parts, count(anonymous, "anonymous volume")+", "+human(bytes))
	}
	for _, kind := range []inventory.Kind{inventory.KindContainer, inventory.KindNetwork, inventory.KindImage} {
		list := inv.Of(kind, fate)
		if len(list) == 0 {
			continue
		}
		var names []string
		for i, r := range list {
			if i == 8 {
				names = append(names, "…")
				break
			}
			names = append(names, r.Name)
		}
		parts = append(parts, count(len(list), string(kind))+": "+Terminal(strings.Join(names, ", ")))
	}
	return parts
}

func stays(b *strings.Builder, inv inventory.Inventory) {
	n := 0
	for _, r := range inv.Resources {
		if r.Fate != inventory.Kept {
			continue
		}
		if n++; n > listed {
			continue
		}
		fmt.Fprintf(b, "Stays: %s %s", r.Kind, Terminal(r.Name))
		if r.Reason != "" {
			fmt.Fprintf(b, " (%s)", Terminal(r.Reason))
		}
		b.WriteString("\n")
	}
	if n > listed {
		fmt.Fprintf(b, "Stays: … and %d more\n", n-listed)
	}
}

// Warnings are what must not be overlooked before a yes, one sentence each, not
// yet escaped.
func Warnings(inv inventory.Inventory) []string {
	var out []string
	if inv.Fallback != "" {
		first, _, _ := strings.Cut(inv.Fallback, "\n")
		out = append(out, fmt.Sprintf("the files could not be read (%s): Compose will remove everything labelled %s", first, inv.Project))
	}
	for _, r := range inv.Of(inventory.KindVolume, inventory.Removed) {
		if r.Claimed != "" {
			out = append(out, fmt.Sprintf("volume %s belongs to project %s by its label, and goes all the same", r.Name, r.Claimed))
		}
		if r.Host != "" {
			out = append(out, fmt.Sprintf("volume %s is a view of %s: the files there stay", r.Name, r.Host))
		}
	}
	if !inv.Engine.Local {
		out = append(out, fmt.Sprintf("the data lies on a remote engine, %s at %s", inv.Engine.Name, inv.Engine.Host))
	}
	return out
}

// Line is the inventory in one line, for scripts and logs.
func Line(inv inventory.Inventory) string {
	parts := []string{}
	if text := volumeLine(inv.Of(inventory.KindVolume, inventory.Removed)); text != "" {
		parts = append(parts, text)
	}
	for _, kind := range []inventory.Kind{inventory.KindContainer, inventory.KindNetwork, inventory.KindImage} {
		if n := len(inv.Of(kind, inventory.Removed)); n > 0 {
			parts = append(parts, count(n, string(kind)))
		}
	}
	if len(parts) == 0 {
		return "Nothing to destroy for " + Terminal(inv.Project)
	}
	return "Destroying " + Terminal(inv.Project) + ": " + strings.Join(parts, "; ")
}

// volumeLine is "volumes a, b and 1 anonymous (1.2 GB)".
func volumeLine(going []inventory.Resource) string {
	if len(going) == 0 {
		return ""
	}
	var names []string
	var total int64
	anonymous, known := 0, true
	for _, r := range going {
		switch {
		case r.Size != nil:
			total += r.Size.Bytes
		case r.Host == "":
			known = false
		}
		switch {
		case r.Anonymous:
			anonymous++
		case len(names) < listed:
			names = append(names, r.Name)
		}
	}
	if more := len(going) - anonymous - len(names); more > 0 {
		names = append(names, fmt.Sprintf("… and %d more", more))
	}
	text := Terminal(strings.Join(names, ", "))
	if anonymous > 0 {
		if text != "" {
			text += " and "
		}
		text += fmt.Sprintf("%d anonymous", anonymous)
	}
	text = map[bool]string{true: "volume ", false: "volumes "}[len(going) == 1] + text
	if known {
		text += " (" + human(total) + ")"
	}
	return text
}

// InventoryJSON writes the inventory as one object; docs/json.md describes it.
func InventoryJSON(w io.Writer, inv inventory.Inventory) error {
	if inv.Resources == nil {
		inv.Resources = []inventory.Resource{}
	}
	return encodeJSON(w, inv, "", "  ")
}
