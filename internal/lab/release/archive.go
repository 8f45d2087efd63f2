package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"time"
)

// member is a file in an archive.
type member struct {
	name string
	data []byte
	mode int64
}

// archives writes one archive a platform, with what a person who installs by hand
// needs.
func (r *release) archives() error {
	for _, b := range r.builds {
		var members []member
		for _, f := range []struct {
			name, from string
			mode       int64
		}{
			{filepath.Base(b.path), b.path, 0o755}, {"ccdestroy.1", filepath.Join(r.stage, "ccdestroy.1"), 0o644},
			{"LICENSE", filepath.Join(r.source, "LICENSE"), 0o644}, {"README.md", filepath.Join(r.source, "README.md"), 0o644},
		} {
			data, err := os.ReadFile(f.from)
			if err != nil {
				return err
			}
			members = append(members, member{f.name, data, f.mode})
		}
		name, pack := r.artefact("ccdestroy_%s_%s_%s.tar.gz", r.version, b.os, b.arch), r.tarball
		if b.os == "windows" {
			name, pack = r.artefact("ccdestroy_%s_%s_%s.zip", r.version, b.os, b.arch), r.zipfile
		}
		data, err := pack(members)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) tarball(members []member) ([]byte, error) {
	data, err := plainTar(members, r.when)
	if err != nil {
		return nil, err
	}
	return zipped(data)
}

// plainTar is a tar of root's files, all of one time. A name that ends in a slash
// is a directory.
func plainTar(members []member, when time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: m.mode, Size: int64(len(m.data)), ModTime: when, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if m.name[len(m.name)-1] == '/' {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(m.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func (r *release) zipfile(members []member) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate, Modified: r.when}
		h.SetMode(os.FileMode(m.mode))
		f, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(m.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
