package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// extras writes what packages hold beside the program: the man page and the
// completions of bash and fish, by asking the program, which must run here.
func (r *release) extras() error {
	host, err := r.host()
	if err != nil {
		return err
	}
	ask := func(args ...string) ([]byte, error) {
		cmd := exec.Command(host.path, args...)
		cmd.Env, cmd.Dir = []string{"HOME=" + r.stage}, r.stage
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("ccdestroy %q: %w", args, err)
		}
		return out, nil
	}
	page, err := ask("man")
	if err != nil {
		return err
	}
	pageZip, err := zipped(page)
	if err != nil {
		return err
	}
	bash, err := ask("completion", "bash")
	if err != nil {
		return err
	}
	fish, err := ask("completion", "fish")
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"ccdestroy.1": page, "ccdestroy.1.gz": pageZip, "bash": bash, "fish": fish} {
		if err := os.WriteFile(filepath.Join(r.stage, name), data, 0o644); err != nil {
			return err
		}
	}
	return r.scripts()
}

// scripts copies what package managers run, since nfpm puts the time of the file
// into a package for Alpine: that of the checkout, not of the commit.
func (r *release) scripts() error {
	paths, err := filepath.Glob(filepath.Join(r.source, "internal/lab/release/files/*.sh"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(r.stage, filepath.Base(path))
		if err := os.WriteFile(to, data, 0o755); err != nil {
			return err
		}
		if err := os.Chtimes(to, r.when, r.when); err != nil {
			return err
		}
	}
	return nil
}

// zipped is gzip without a name and a time.
func zipped(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
