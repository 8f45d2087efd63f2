package audit

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// rooms are what operations that have begun have set aside behind the end of the
// log, in bytes, by their ids. All of it is in one place, so each append makes sure
// that it leaves the others their room.
//
// They are in the lock file, one "ID BYTES" per line, and are read and written under the
// lock. Nothing is synced: a power cut ends the operations as well. Those of an
// operation that died stay until it is settled.
type rooms struct{ lock *durable.Locked }

// roomsLimit is how much of the lock file is read.
const roomsLimit = 1 << 20

func (r rooms) read() (map[string]int64, error) {
	data, err := io.ReadAll(io.NewSectionReader(r.lock.File, 0, roomsLimit))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", r.lock.Path(), durable.Cause(err))
	}
	all := map[string]int64{}
	for line := range strings.Lines(string(data)) {
		var id string
		var bytes int64
		// A line that a kill cut off does not count.
		if n, _ := fmt.Sscanf(line, "%s %d\n", &id, &bytes); n == 2 && bytes > 0 && strings.HasSuffix(line, "\n") {
			all[id] = bytes
		}
	}
	return all, nil
}

// write overwrites before it shortens: the disk may be full, and what is released
// is taken by others at once.
func (r rooms) write(all map[string]int64) error {
	var text strings.Builder
	for _, id := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&text, "%s %d\n", id, all[id])
	}
	_, err := r.lock.File.WriteAt([]byte(text.String()), 0)
	if err == nil {
		err = r.lock.File.Truncate(int64(text.Len()))
	}
	if err != nil {
		return fmt.Errorf("write %q: %w", r.lock.Path(), durable.Cause(err))
	}
	return nil
}

// others is what all operations but one have.
func (r rooms) others(id string) (sum int64, err error) {
	all, err := r.read()
	for other, bytes := range all {
		if other != id {
			sum += bytes
		}
	}
	return sum, err
}

// set says how much an operation has from now on; 0 is nothing, with its outcome.
func (r rooms) set(id string, room int64) error {
	all, err := r.read()
	if err != nil || all[id] == room {
		return err
	}
	if all[id] = room; room == 0 {
		delete(all, id)
	}
	return r.write(all)
}
