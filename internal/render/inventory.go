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
// What was named by --unprotect is no longer protected.
func Inventory(w io.Writer, inv inventory.Inventory, now time.Time, style Style) error {
	var b strings.Builder
	header(&b, inv, style)
	if going(inv) {
		b.WriteString("\n")
		volumes(&b, inv, now, style)
		for _, line := range others(inv, inventory.Removed) {
			fmt.Fprintln(&b, style.fold("  "+line, 4))
		}
	}
	stays(&b, inv, style)
	for _, run := range inv.Runs {
		fmt.Fprintln(&b, style.fold("Runs: "+Terminal(run), 6))
	}
	for _, warning := range Warnings(inv) {
		fmt.Fprintln(&b, style.paint(Warn, style.fold("WARNING: "+Terminal(warning), 2)))
	}
	if inv.Empty() {
		b.WriteString("\nNothing to destroy.\n")
	} else {
		b.WriteString("\n" + style.say(Bad, "Destroys "+amounts(inv), " on "+Terminal(inv.Engine.Host)))
		for _, line := range KeepLines(inv, style) {
			fmt.Fprintln(&b, line)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// amounts is "2 volumes (2.1 GB), 3 containers, 1 network": what will go.
func amounts(inv inventory.Inventory) string {
	var parts []string
	for _, kind := range []inventory.Kind{inventory.KindVolume, inventory.KindContainer, inventory.KindNetwork, inventory.KindImage} {
		list := inv.Of(kind, inventory.Removed)
		if len(list) == 0 {
			continue
		}
		part := Count(len(list), string(kind))
		if kind == inventory.KindVolume {
			part += total(list)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return nothing
	}
	return strings.Join(parts, ", ")
}

// total is " (2.1 GB)", or nothing where a size is not known.
func total(volumes []inventory.Resource) string {
	var sum int64
	for _, r := range volumes {
		switch {
		case r.Host != "":
		case r.Size == nil:
			return ""
		default:
			sum += r.Size.Bytes
		}
	}
	return " (" + human(sum) + ")"
}

func header(b *strings.Builder, inv inventory.Inventory, style Style) {
	if inv.Project != "" {
		project(b, inv, style)
	}
	name := inv.Engine.Context
	if name == "" {
		name = "remote"
		if inv.Engine.Local {
			name = "local"
		}
	}
	fmt.Fprintln(b, style.fold(fmt.Sprintf("Docker    %s  %s, Engine %s", Terminal(name), Terminal(inv.Engine.Host), Terminal(inv.Engine.Version)), 10))
}

func project(b *strings.Builder, inv inventory.Inventory, style Style) {
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
	fmt.Fprintln(b, style.fold(fmt.Sprintf("Project   %s   (%s)", Terminal(inv.Project), Terminal(where)), 10))
}

func volumes(b *strings.Builder, inv inventory.Inventory, now time.Time, style Style) {
	t := table{style: style, indent: "  ", stacks: true}
	t.head("VOLUME", "SIZE", "CREATED", "~IN USE BY", "LAST EXPORT")
	more := 0
	for _, r := range inv.Of(inventory.KindVolume, inventory.Removed) {
		switch {
		case r.Anonymous:
		case len(t.rows) == listed:
			more++
		default:
			name := r.Name
			if r.Protected {
				name += " (protected)"
			}
			t.add(cell{text: name, color: Strong}, cell{text: volumeSize(r)}, cell{text: since(now, r.Created)}, cell{text: strings.Join(r.UsedBy, ", ")}, lastExport(r, now))
		}
	}
	_ = t.flush(b) // into memory
	if more > 0 {
		fmt.Fprintf(b, "  … and %d more; %s lists all\n", more, style.command("inventory", "--format", "json"))
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

// InventoryJSON writes the inventory as one object; docs/json.md describes it.
func InventoryJSON(w io.Writer, inv inventory.Inventory) error {
	if inv.Resources == nil {
		inv.Resources = []inventory.Resource{}
	}
	return encodeJSON(w, inv, "", "  ")
}
