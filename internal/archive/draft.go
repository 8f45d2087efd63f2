package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// Draft is an export that is being written. Its directory's name ends in
// ".incomplete"; after a failure it is for the caller to Drop, and after a crash
// it stays as it is.
type Draft struct {
	dir   string // with .incomplete, until it has its name
	final string
	made  fs.FileInfo // the directory, as Begin made it
	whole bool        // it is an export now

	mu    sync.Mutex
	wrote []written // guarded by mu; in the order in which they were made
}

// written is a file or a directory that the draft has made in its own.
type written struct {
	name string // below the draft, with slashes
	info fs.FileInfo
}

// Begin makes the directory for an export of a project below dir. Where it has
// to make dir itself, it also calls Ignore for it.
func Begin(dir, project string, now time.Time) (*Draft, error) {
	_, err := os.Lstat(dir)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if fresh {
		if err := Ignore(dir); err != nil {
			return nil, err
		}
	}
	for n := 1; ; n++ {
		final := filepath.Join(dir, Name(project, now))
		if n > 1 {
			final += fmt.Sprintf("-%d", n) // another one of the same second
		}
		if _, err := os.Lstat(final); err == nil {
			continue
		}
		err := durable.Mkdir(final+incomplete, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		d := &Draft{dir: final + incomplete, final: final}
		if err := d.begin(); err != nil {
			return nil, errors.Join(err, d.Drop())
		}
		return d, nil
	}
}

// begin makes what is in every draft.
func (d *Draft) begin() error {
	root, err := d.open()
	if err != nil {
		return err
	}
	defer root.Close()
	if d.made, err = root.Stat("."); err != nil {
		return err
	}
	if err := durable.Mkdir(filepath.Join(d.dir, "volumes"), 0o700); err != nil {
		return err
	}
	info, err := root.Lstat("volumes")
	if err != nil {
		return err
	}
	d.wrote = append(d.wrote, written{"volumes", info})
	return durable.SyncDir(d.dir)
}

// Dir is where the draft lies now.
func (d *Draft) Dir() string { return d.dir }

// Final is where the export will lie.
func (d *Draft) Final() string { return d.final }

// Save writes the archive of one volume, on so many cores, syncs it, reads it
// again and verifies it. It fills in what v is said to hold. When the context
// ends it stops within a piece of 256 KiB, with the context's error.
//
// After an error the archive's file exists and is empty: half of one is of no
// use, and the space may be needed.
func (d *Draft) Save(ctx context.Context, v *Volume, cores int, from Tar) (err error) {
	v.Started = time.Now().UTC()
	path := archivePath(v.Name)
	f, err := d.create(path)
	if err != nil {
		return fmt.Errorf("export %q: %w", v.Name, err)
	}
	defer f.Close() // which does not wait for a sync
	defer func() {
		if err != nil {
			_ = f.Truncate(0) // and a sync under way has nothing left to do
		}
		err = errors.Join(err, d.note(path, f))
	}()
	v.Archive, err = pack(f, cores, func(w io.Writer) (err error) {
		v.Content, err = from(ctx, stopWriter{ctx, w})
		return err
	})
	if err != nil {
		return fmt.Errorf("export %q: %w", v.Name, err)
	}
	v.Archive.Path = path
	synced := make(chan error, 1) // the disk works while the processors verify
	go func() { synced <- f.Sync() }()
	if err := decodes(ctx, io.NewSectionReader(f, 0, math.MaxInt64), v.Archive); err != nil {
		return fmt.Errorf("export %q: read again: %w", v.Name, err)
	}
	select {
	case err = <-synced:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("export %q: %w", v.Name, err)
	}
	v.Finished = time.Now().UTC()
	return nil
}

// Finish writes the manifest and the sums, syncs everything, and gives the
// export its name. It returns the SHA-256 of the manifest. After an error it is
// still a draft, which Drop removes, even where it has its name already: that may
// not survive a power cut.
func (d *Draft) Finish(m Manifest) (sum string, err error) {
	m.Version = Version
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", err
	}
	data = append(data, '\n')
	if _, err := parseManifest(data); err != nil {
		return "", fmt.Errorf("the manifest cannot be written so that it can be read: %w", err)
	}
	var sums bytes.Buffer
	for _, v := range m.Volumes {
		fmt.Fprintf(&sums, "%s  %s\n", v.Archive.SHA256, v.Archive.Path)
	}
	sum = hexSum(data)
	fmt.Fprintf(&sums, "%s  %s\n", sum, manifestName)
	err = errors.Join(
		durable.SyncDir(filepath.Join(d.dir, "volumes")),
		d.write(sumsName, sums.Bytes()),
		d.write(manifestName, data),
		durable.SyncDir(d.dir),
	)
	if err != nil {
		return "", err
	}
	// A crash before the rename leaves a whole export under the name of an incomplete
	// one; nothing treats it as whole.
	if err := os.Rename(d.dir, d.final); err != nil {
		return "", fmt.Errorf("rename %q: %w", d.dir, durable.Cause(err))
	}
	d.dir = d.final
	if err := durable.SyncDir(filepath.Dir(d.final)); err != nil {
		return "", err
	}
	d.whole = true
	return sum, nil
}
