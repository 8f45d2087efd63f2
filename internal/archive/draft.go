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
	"time"

	"github.com/contextcore/ccdestroy/internal/durable"
)

// Draft is an export that is being written. Its directory's name ends in
// ".incomplete"; after a failure or a crash it stays as it is.
type Draft struct {
	dir   string // with .incomplete
	final string
}

// Begin makes the directory for an export of a project below dir.
func Begin(dir, project string, now time.Time) (*Draft, error) {
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for n := 1; ; n++ {
		final := filepath.Join(dir, Name(project, now))
		if n > 1 {
			final += fmt.Sprintf("-%d", n) // another of the same second
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
		if err := durable.MkdirAll(filepath.Join(final+incomplete, "volumes"), 0o700); err != nil {
			return nil, err
		}
		return &Draft{dir: final + incomplete, final: final}, nil
	}
}

// Drop removes a draft that holds nothing.
func (d *Draft) Drop() {
	_ = os.Remove(filepath.Join(d.dir, "volumes"))
	_ = os.Remove(d.dir) // what is not empty stays
}

// Dir is where the draft lies now.
func (d *Draft) Dir() string { return d.dir }

// Final is where the export will lie.
func (d *Draft) Final() string { return d.final }

// Tar writes the content of a volume as a tar of this package.
type Tar func(io.Writer) (Content, error)

// FromDir reads a directory of this host.
func FromDir(ctx context.Context, dir string, s Source) Tar {
	return func(w io.Writer) (Content, error) { return writeTree(ctx, dir, w, s) }
}

// FromStream reads a tar whose entries lie below a directory, "vol0001/", as
// the engine's archive API gives it.
func FromStream(r io.Reader, dir string) Tar {
	return func(w io.Writer) (Content, error) { return retar(r, dir, w, "./") }
}

// Save writes the archive of one volume, syncs it, reads it again and verifies
// it. It fills in what v is said to hold.
func (d *Draft) Save(v *Volume, cores int, from Tar) error {
	v.Started = time.Now().UTC()
	path := archivePath(v.Name)
	f, err := durable.Create(filepath.Join(d.dir, filepath.FromSlash(path)), 0o600)
	if err != nil {
		return fmt.Errorf("export %q: %w", v.Name, err)
	}
	defer f.Close()
	v.Archive, err = pack(f, cores, func(w io.Writer) (err error) {
		v.Content, err = from(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("export %q: %w", v.Name, err)
	}
	v.Archive.Path = path
	synced := make(chan error, 1) // the disk works while the processors verify
	go func() { synced <- f.Sync() }()
	err = decodes(io.NewSectionReader(f, 0, math.MaxInt64), v.Archive)
	if err := errors.Join(err, <-synced); err != nil {
		return fmt.Errorf("export %q: read again: %w", v.Name, err)
	}
	v.Finished = time.Now().UTC()
	return nil
}

// Finish writes the manifest and the sums, syncs everything, and gives the
// export its name. It returns the SHA-256 of the manifest.
func (d *Draft) Finish(m Manifest) (sum string, err error) {
	m.Version = Version
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", err
	}
	data = append(data, '\n')
	var sums bytes.Buffer
	for _, v := range m.Volumes {
		fmt.Fprintf(&sums, "%s  %s\n", v.Archive.SHA256, v.Archive.Path)
	}
	sum = hexSum(data)
	fmt.Fprintf(&sums, "%s  %s\n", sum, manifestName)
	err = errors.Join(
		durable.SyncDir(filepath.Join(d.dir, "volumes")),
		durable.ReplaceFile(filepath.Join(d.dir, sumsName), sums.Bytes(), 0o600),
		durable.ReplaceFile(filepath.Join(d.dir, manifestName), data, 0o600),
	)
	if err != nil {
		return "", err
	}
	// A crash before the rename leaves a whole export under the name of half a
	// one; nothing takes it for whole.
	if err := os.Rename(d.dir, d.final); err != nil {
		return "", fmt.Errorf("rename %q: %w", d.dir, durable.Cause(err))
	}
	return sum, durable.SyncDir(filepath.Dir(d.final))
}
