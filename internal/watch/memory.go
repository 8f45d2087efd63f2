package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/inventory"
)

// Memory is the file in which a watch leaves what it knows for the next one. It is
// one JSON object, a memory, mode 0600; readers ignore keys that they do not know,
// and refuse a higher "v". It is replaced as a whole.
//
// A crash leaves the file of up to a minute ago, or before the last change: the
// next watch treats the time since then as a gap, finds by comparison what it did
// not know to be gone, and passes over what is recorded after the file was
// written. It may leave a "*.tmp-*" beside it, which the next watch removes.
type Memory struct{ Path string }

// memoryVersion is the version that is written, and the highest that is read.
const memoryVersion = 1

// memoryLimit is how large a file is read. A volume takes some 300 bytes.
const memoryLimit = 64 << 20

// state is what a watch knows.
type state struct {
	engine inventory.Engine
	until  time.Time // the engine was followed until then
	listed time.Time // when this was written
	known  map[string]inventory.Volume
	held   []Loss
}

// memory is a state as the file has it. Times are RFC 3339, in UTC.
type memory struct {
	V       int              `json:"v"`
	Written time.Time        `json:"written"`
	Engine  inventory.Engine `json:"engine"`
	Until   time.Time        `json:"until"`
	Volumes []keptVolume     `json:"volumes"`
	Lost    []keptLoss       `json:"lost,omitempty"` // gone, and neither recorded nor accounted for by another record
}

// keptVolume is a volume as the file has it. Its options are left out: they can hold
// the password of a share.
type keptVolume struct {
	Name       string            `json:"name"`
	Driver     string            `json:"driver,omitempty"`
	Created    time.Time         `json:"created,omitzero"`
	Born       time.Time         `json:"born,omitzero"`
	Mountpoint string            `json:"mountpoint,omitempty"`
	Host       string            `json:"host_path,omitempty"` // behind a volume that is a bind mount
	Labels     map[string]string `json:"labels,omitempty"`
}

type keptLoss struct {
	Volume keptVolume        `json:"volume"`
	At     time.Time         `json:"at"`
	Since  time.Time         `json:"since,omitzero"`
	Engine *inventory.Engine `json:"engine,omitempty"` // if it differs
}

// Load reads the file. found is false when there is none.
func (m Memory) Load() (s state, found bool, err error) {
	m.sweep()
	data, err := m.read()
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, false, nil
	}
	if err != nil {
		return state{}, false, err
	}
	all, err := parse(data)
	if err != nil {
		return state{}, false, fmt.Errorf("read %q: %w", m.Path, err)
	}
	s = state{engine: all.Engine, until: all.Until, listed: all.Written, known: map[string]inventory.Volume{}}
	for _, v := range all.Volumes {
		s.known[v.Name] = v.volume()
	}
	for _, l := range all.Lost {
		one := Loss{Volume: l.Volume.volume(), Engine: all.Engine, At: l.At, Since: l.Since, Listed: all.Written}
		if l.Engine != nil {
			one.Engine = *l.Engine
		}
		s.held = append(s.held, one)
	}
	return s, true, nil
}

func parse(data []byte) (all memory, err error) {
	var head struct{ V int }
	if err := json.Unmarshal(data, &head); err != nil {
		return all, err
	}
	if head.V != memoryVersion {
		return all, fmt.Errorf("its version, %d, is not known here", head.V)
	}
	return all, json.Unmarshal(data, &all)
}

// read opens nothing but a regular file of this account's, and follows no link.
func (m Memory) read() ([]byte, error) {
	f, err := durable.OpenOurs(m.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	owner, ours, err := durable.OursToTrust(f, m.Path)
	if err == nil && !ours {
		err = fmt.Errorf("read %q: it belongs to another account (uid %d, we are %d)", m.Path, owner, os.Geteuid())
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, memoryLimit))
	if err == nil && len(data) == memoryLimit {
		err = errors.New("it is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", m.Path, durable.Cause(err))
	}
	return data, nil
}

// sweep removes what a crash has left of a save. Nobody else saves: the lock is
// held.
func (m Memory) sweep() {
	entries, _ := os.ReadDir(filepath.Dir(m.Path)) // leftovers do no harm
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(m.Path)+".tmp-") {
			_ = os.Remove(filepath.Join(filepath.Dir(m.Path), e.Name()))
		}
	}
}

// Save replaces the file.
func (m Memory) Save(s state) error {
	all := memory{V: memoryVersion, Written: s.listed.UTC(), Engine: s.engine, Until: s.until.UTC(), Volumes: []keptVolume{}}
	for _, name := range slices.Sorted(maps.Keys(s.known)) {
		all.Volumes = append(all.Volumes, asVolume(s.known[name]))
	}
	for _, l := range s.held {
		one := keptLoss{Volume: asVolume(l.Volume), At: l.At.UTC(), Since: l.Since.UTC()}
		if l.Engine.ID != s.engine.ID {
			one.Engine = &l.Engine
		}
		all.Lost = append(all.Lost, one)
	}
	data, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("write %q: %w", m.Path, err)
	}
	return durable.ReplaceFile(m.Path, append(data, '\n'), 0o600)
}

func (v keptVolume) volume() inventory.Volume {
	out := inventory.Volume{Name: v.Name, Driver: v.Driver, Mountpoint: v.Mountpoint, Created: v.Created, Born: v.Born, Labels: v.Labels}
	if v.Host != "" {
		out.Options = map[string]string{"o": "bind", "device": v.Host}
	}
	return out
}

func asVolume(v inventory.Volume) keptVolume {
	return keptVolume{
		Name: v.Name, Driver: v.Driver, Mountpoint: v.Mountpoint, Created: v.Created.UTC(), Born: v.Born.UTC(),
		Host: v.Resource().Host, Labels: v.Labels,
	}
}
