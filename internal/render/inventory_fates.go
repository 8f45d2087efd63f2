package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// others sums up, a line for each kind, what is not a named volume.
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
		parts = append(parts, Count(anonymous, "anonymous volume")+", "+human(bytes))
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
		parts = append(parts, Count(len(list), string(kind))+": "+Terminal(strings.Join(names, ", ")))
	}
	return parts
}

// stays says what stays: first what the command asked for, since that makes it
// end partly, then what is meant to stay.
func stays(b *strings.Builder, inv inventory.Inventory, style Style) {
	var held, meant, guarded []inventory.Resource
	for _, r := range inv.Resources {
		switch {
		case r.Asked && r.Protected && !r.Lifted:
			guarded = append(guarded, r)
		case r.Fate == inventory.Kept && r.Asked:
			held = append(held, r)
		case r.Fate == inventory.Kept:
			meant = append(meant, r)
		}
	}
	section(b, style.paint(Bad, "Protected, so this is refused (exit 5) without --unprotect:"), guarded, style)
	end := map[bool]string{true: "so this will end PARTLY (exit 3)", false: "so this will FAIL (exit 1)"}[going(inv)]
	section(b, style.paint(Warn, "Stays although it should go, "+end+":"), held, style)
	section(b, "Stays, as intended:", meant, style)
}

// going reports whether anything goes.
func going(inv inventory.Inventory) bool {
	return slices.ContainsFunc(inv.Resources, func(r inventory.Resource) bool { return r.Fate == inventory.Removed })
}

// section lists what stays, a line for each: what it is, how large, and why.
func section(b *strings.Builder, title string, list []inventory.Resource, style Style) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	t := table{style: style, indent: "  ", folds: true}
	for _, r := range list[:min(len(list), listed)] {
		what := string(r.Kind) + " " + brief(r.Name)
		if r.Kind == inventory.KindBind {
			what = r.Name
		}
		size := ""
		if r.Size != nil && r.Asked {
			size = human(r.Size.Bytes)
		}
		why := r.Reason
		if r.Protected && r.Asked {
			why = "by " + r.Protection
		}
		t.add(cell{text: what}, cell{text: size}, cell{text: why})
	}
	_ = t.flush(b) // into memory
	if more := len(list) - listed; more > 0 {
		fmt.Fprintf(b, "  … and %d more\n", more)
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
			out = append(out, fmt.Sprintf("volume %s belongs to project %s by its label, and is destroyed nevertheless", r.Name, r.Claimed))
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

// Line is the inventory in one line, for scripts and logs. On a terminal it is
// folded.
func Line(inv inventory.Inventory, style Style) string {
	parts := []string{}
	if text := volumeLine(inv.Of(inventory.KindVolume, inventory.Removed)); text != "" {
		parts = append(parts, text)
	}
	for _, kind := range []inventory.Kind{inventory.KindContainer, inventory.KindNetwork, inventory.KindImage} {
		if n := len(inv.Of(kind, inventory.Removed)); n > 0 {
			parts = append(parts, Count(n, string(kind)))
		}
	}
	switch {
	case inv.Empty():
		return "Nothing to destroy for " + Terminal(inv.Project)
	case len(parts) == 0:
		return "Nothing of " + Terminal(inv.Project) + " can be destroyed"
	}
	return style.fold("Destroying "+Terminal(inv.Project)+": "+strings.Join(parts, "; "), 2)
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
