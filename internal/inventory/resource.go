package inventory

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is what sort of thing a resource is.
type Kind string

// The kinds. A bind is a host path that a container can write to, a path one
// that a command was said to remove.
const (
	KindVolume    Kind = "volume"
	KindContainer Kind = "container"
	KindNetwork   Kind = "network"
	KindImage     Kind = "image"
	KindBind      Kind = "bind"
	KindPath      Kind = "path"
)

// Fate is what will happen to a resource.
type Fate string

// The fates.
const (
	Removed Fate = "removed"
	Kept    Fate = "kept"
)

// Result is what happened to a resource, as the engine shows it afterwards.
type Result string

// The results.
const (
	Gone     Result = "gone"     // it is no longer there
	Remade   Result = "remade"   // it was destroyed, and another of its name is there
	Remained Result = "remained" // it is still there
	// Untouched: the operation ended before it did anything.
	Untouched Result = "untouched"
	Unknown   Result = "unknown" // one of its name exists, and nothing shows whether it is the same
)

// Resource is one line of an inventory, and of the record. Times are RFC 3339.
type Resource struct {
	Kind       Kind        `json:"kind"`
	Name       string      `json:"name"`
	ID         string      `json:"id,omitempty"`         // the engine's, of containers, networks and images
	Created    string      `json:"created,omitempty"`    // to the second, as the engine reports it
	Born       string      `json:"born,omitempty"`       // of a volume's directory, to the nanosecond, where this host sees it
	Key        string      `json:"key,omitempty"`        // name within the files: of the volume, the network, the service
	Driver     string      `json:"driver,omitempty"`     // of a volume that is not the engine's own kind
	Claimed    string      `json:"claimed_by,omitempty"` // the other project whose label the volume carries
	Host       string      `json:"host_path,omitempty"`  // host path behind a bind, or behind a volume that is one
	Profiles   []string    `json:"profiles,omitempty"`   // of a container whose service is off
	UsedBy     []string    `json:"used_by,omitempty"`    // containers that mount the volume, by name
	Anonymous  bool        `json:"anonymous,omitempty"`
	Protected  bool        `json:"protected,omitempty"`
	Protection string      `json:"protected_by,omitempty"` // what protects it: the label, or a pattern of the settings
	Enforced   bool        `json:"-"`                      // no --unprotect lifts the protection
	Lifted     bool        `json:"-"`                      // the command lifts the protection
	LastExport *LastExport `json:"last_export,omitempty"`  // of a volume; nil also if nobody looked
	Size       *Size       `json:"size,omitempty"`         // of a volume or image, if it was known in time
	Asked      bool        `json:"asked"`                  // the command means to remove it
	Fate       Fate        `json:"fate"`
	Reason     string      `json:"reason,omitempty"`     // for the fate
	Result     Result      `json:"result,omitempty"`     // only in outcome events
	HeldBy     []string    `json:"held_by,omitempty"`    // outcome events: containers that kept it from going
	Unforeseen bool        `json:"unforeseen,omitempty"` // it was created after the last look; in outcome events: and destroyed
}

// String is "volume shop_data: in use by psql", without the end where there is
// no reason.
func (r Resource) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%s %s: %s", r.Kind, r.Name, r.Reason), ": ")
}

// LastExport is the newest export of a volume that the log knows of. The zero
// value is: never.
type LastExport struct {
	At    string `json:"at,omitempty"` // RFC 3339
	Path  string `json:"path,omitempty"`
	There bool   `json:"there"` // the export still exists, with the right lengths
}

// Size is how much a volume or image holds.
type Size struct {
	Bytes int64 `json:"bytes"`          // sum of the file lengths, hard links once
	Disk  int64 `json:"disk,omitempty"` // allocated on the disk, where known
}

// Inventory is what exists now that the teardown concerns, with fates.
type Inventory struct {
	Project   string     `json:"project"`
	Mode      Mode       `json:"mode"`
	Fallback  string     `json:"fallback,omitempty"` // why labels mode in spite of files
	Dir       string     `json:"dir,omitempty"`
	Files     []string   `json:"files,omitempty"`
	Services  []string   `json:"services,omitempty"` // that the user named
	Engine    Engine     `json:"engine"`
	Resources []Resource `json:"resources"`
	Runs      []string   `json:"runs,omitempty"`      // hooks and providers that act outside of any inventory
	Providers []string   `json:"providers,omitempty"` // services of providers that the teardown calls: what they hold is in no inventory
	// Keep says what is set aside instead of being destroyed; nil means nothing, and
	// that nobody asked for it.
	Keep *Keep `json:"-"`
	// Since is what the engine reported since the previous look; nil if nobody
	// followed it.
	Since *Seen `json:"-"`
}

// Keep says which of the volumes that are removed can be brought back.
type Keep struct {
	For     time.Duration
	Volumes []string
	Not     []Unkept // volumes that go for good
	Why     string   // why none is kept, or ""
}

// Unkept is a volume that cannot be set aside.
type Unkept struct{ Name, Why string }

// Engine says which engine it was.
type Engine struct {
	ID         string `json:"id,omitempty"`
	Name       string `json:"name,omitempty"` // host name of the engine
	Version    string `json:"version"`
	APIVersion string `json:"api_version"`
	Host       string `json:"host"`              // address, without user info
	Context    string `json:"context,omitempty"` // docker context, where one was used
	Local      bool   `json:"local"`             // on this machine, by its address
	// StableCreated: its CreatedAt of a volume never moves. Engines before 23
	// (API 1.42) report the time of the last change in the volume's root directory
	// instead.
	StableCreated bool `json:"-"`
}

// Of returns the resources of a kind with a fate, in order.
func (inv Inventory) Of(kind Kind, fate Fate) []Resource {
	var out []Resource
	for _, r := range inv.Resources {
		if r.Kind == kind && r.Fate == fate {
			out = append(out, r)
		}
	}
	return out
}

// Going returns the volumes that are about to go, by name.
func (inv Inventory) Going() []string {
	names := []string{}
	for _, r := range inv.Of(KindVolume, Removed) {
		names = append(names, r.Name)
	}
	return names
}

// AskedVolumes returns the volumes that the command means to remove, by name.
func (inv Inventory) AskedVolumes() (names []string) {
	for _, r := range inv.Resources {
		if r.Kind == KindVolume && r.Asked {
			names = append(names, r.Name)
		}
	}
	return names
}

// Empty reports whether the command has nothing to remove.
func (inv Inventory) Empty() bool {
	for _, r := range inv.Resources {
		if r.Asked {
			return false
		}
	}
	return true
}

// Lift marks the volumes whose protection the names lift, by volume name or
// Compose key.
func (inv Inventory) Lift(names []string) {
	for i, r := range inv.Resources {
		inv.Resources[i].Lifted = r.Protected && !r.Enforced && r.named(names)
	}
}

// Refusals returns the protected volumes that would go and that names do not
// name, by volume name or Compose key, or cannot lift the protection of.
func (inv Inventory) Refusals(names []string) (refused []Resource) {
	for _, r := range inv.Resources {
		if r.Kind == KindVolume && r.Protected && r.Asked && (r.Enforced || !r.named(names)) {
			refused = append(refused, r)
		}
	}
	return refused
}

// Unknown returns those of the names that are neither the name nor the Compose
// key of a volume.
func (inv Inventory) Unknown(names []string) (unknown []string) {
	for _, name := range names {
		if !slices.ContainsFunc(inv.Resources, func(r Resource) bool { return r.Kind == KindVolume && r.named([]string{name}) }) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

func (r Resource) named(names []string) bool {
	return slices.Contains(names, r.Name) || r.Key != "" && slices.Contains(names, r.Key)
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

func stamp(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(layout)
}

// Unkept are the volumes whose data is gone for good if everything goes as planned, and
// why each is not set aside, "" if that was not intended.
func (inv Inventory) Unkept() (lost []Unkept) {
	for _, r := range inv.Of(KindVolume, Removed) {
		if r.Host != "" || inv.Keep != nil && slices.Contains(inv.Keep.Volumes, r.Name) {
			continue
		}
		u := Unkept{Name: r.Name}
		if inv.Keep != nil {
			u.Why = inv.Keep.Why
			if i := slices.IndexFunc(inv.Keep.Not, func(n Unkept) bool { return n.Name == r.Name }); i >= 0 {
				u.Why = inv.Keep.Not[i].Why
			}
		}
		lost = append(lost, u)
	}
	return lost
}
