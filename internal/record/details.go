package record

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// How an operation was confirmed, in Details.Confirmation.
const (
	Typed      = "typed"      // by the word that was asked for
	ByFlag     = "flag"       // by --yes
	Unattended = "unattended" // nobody could be asked
)

// Details is the details object of a destroy event. The pending event has what
// was about to happen; the outcome event has all of it again with results, so
// that each line can be read alone. docs/audit-format.md lists every field.
type Details struct {
	inventory.Inventory
	Tool         string          `json:"tool"`                   // this program and its version
	Compose      string          `json:"compose,omitempty"`      // version of Docker Compose
	Via          string          `json:"resolved_by,omitempty"`  // "compose config" when Compose had to resolve the files
	Command      []string        `json:"command"`                // the child, as it is run
	Executed     string          `json:"executed,omitempty"`     // path of the Compose plugin that was run with the arguments of Command, in place of docker
	Confirmation string          `json:"confirmation,omitempty"` // typed, flag or unattended
	Unprotected  []string        `json:"unprotected,omitempty"`  // volumes named by --unprotect
	Why          string          `json:"reason,omitempty"`       // --reason
	Actor        json.RawMessage `json:"actor,omitempty"`        // who and where; see package actor
	Stopped      []string        `json:"stopped,omitempty"`      // ids of the containers that ran and that an export stops; started again unless the teardown goes ahead
	Export       *Export         `json:"export,omitempty"`       // what was exported, to export_path
	Restored     []Restored      `json:"restored,omitempty"`     // what is brought back, from export_path
	Kept         []Kept          `json:"kept,omitempty"`         // volumes that are set aside for undo; in the outcome those that are
	Undone       []Kept          `json:"undone,omitempty"`       // undo: volumes that are brought back; in the outcome those that are
	Purged       []Kept          `json:"purged,omitempty"`       // purge: volumes whose data is deleted; in the outcome those whose data was
	RecordedBy   string          `json:"recorded_by,omitempty"`  // "record" when a script reported it: what it says is its own claim; "run" when ccdestroy run ran Command; "watch" when the engine reported it; "guard" when the engine asked before it did it
	Request      *Request        `json:"request,omitempty"`      // recorded by guard: what the engine was asked

	// From here on, outcome events only.
	StartedAt  string   `json:"started_at,omitempty"` // RFC 3339, of the pending event
	DurationMS int64    `json:"duration_ms,omitempty"`
	ExitCode   *int     `json:"exit_code,omitempty"`  // the child's; -1 when a signal killed it
	Signal     string   `json:"signal,omitempty"`     // that reached this program, INT or TERM …
	Error      string   `json:"error,omitempty"`      // what stopped the operation
	Stderr     string   `json:"stderr,omitempty"`     // the last 8 KiB of the child's error output, when it failed
	LostBytes  int64    `json:"bytes_lost,omitempty"` // sum over the volumes that are gone and were measured
	Remaining  []string `json:"remaining,omitempty"`  // "kind name: why"
	Unforeseen []string `json:"unforeseen,omitempty"` // volumes that vanished meanwhile, perhaps destroyed by something else
	Halted     []string `json:"halted,omitempty"`     // those of Stopped that were to be started again, and may not all run
	Settled    string   `json:"settled,omitempty"`    // "reconcile" when a later run found the outcome
	Claims     []string `json:"claims,omitempty"`     // recorded by watch: unfinished operations that may have done it
}

// Marks in Details.RecordedBy: the guard recorded the operation, or ccdestroy record, as a
// script told it.
const (
	ByGuard  = "guard"
	ByScript = "record"
)

// Request is a call of the engine's API.
type Request struct {
	Method string `json:"method"`
	URI    string `json:"uri"`
	Agent  string `json:"user_agent,omitempty"`  // what the client calls itself
	User   string `json:"user,omitempty"`        // as the engine reports it; "" on a Unix socket
	Auth   string `json:"auth_method,omitempty"` // how the engine knows the user
}

// Export is a finished and verified export, as a record has it.
type Export struct {
	Path     string     `json:"-"` // the event's export_path
	Manifest string     `json:"manifest_sha256"`
	Volumes  []Exported `json:"volumes"`
}

// Exported is one volume of an export.
type Exported struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`  // sum of the file lengths, hard links once
	SHA256 string `json:"sha256"` // of the archive
}

// Restored is one volume that is brought back.
type Restored struct {
	Name     string `json:"name"`
	From     string `json:"from"`               // its name in the export
	Replaced bool   `json:"replaced,omitempty"` // one of that name was removed for it
}

// Kept is one volume that is set aside, or was.
type Kept struct {
	Name      string `json:"name"`
	Until     string `json:"until,omitempty"`     // RFC 3339; "" is not known
	Bytes     int64  `json:"bytes,omitempty"`     // 0 is not known
	Operation string `json:"operation,omitempty"` // undo and purge: id of the one that set it aside
	As        string `json:"as,omitempty"`        // undo: its name now, if that differs
}

// ParseDetails reads the details of a destroy event.
func ParseDetails(e audit.Event) (Details, error) {
	var d Details
	err := json.Unmarshal(e.Details, &d)
	return d, err
}

// DetailNames are the keys that Details has in JSON.
func DetailNames() (names []string) {
	for _, t := range []reflect.Type{reflect.TypeFor[inventory.Inventory](), reflect.TypeFor[Details]()} {
		for i := range t.NumField() {
			if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// Encode is the details as an event has them.
func (d Details) Encode() json.RawMessage {
	if d.Resources == nil {
		d.Resources = []inventory.Resource{}
	}
	if d.Command == nil {
		d.Command = []string{}
	}
	data, err := json.Marshal(d)
	if err != nil {
		// Only strings, numbers and an Actor that was marshalled before.
		panic(err)
	}
	return data
}
