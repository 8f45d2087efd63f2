package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk"  // Alpine
	_ "github.com/goreleaser/nfpm/v2/arch" // Arch
	_ "github.com/goreleaser/nfpm/v2/deb"  // Debian, Ubuntu
	_ "github.com/goreleaser/nfpm/v2/rpm"  // Fedora, RHEL, SUSE
)

// formats are the package managers, and how their files end.
var formats = []struct{ name, suffix string }{{"deb", ".deb"}, {"rpm", ".rpm"}, {"apk", ".apk"}, {"archlinux", ".pkg.tar.zst"}}

// packages writes the packages that files/nfpm.yaml describes.
func (r *release) packages() error {
	for _, b := range r.builds {
		if b.os != "linux" {
			continue
		}
		for _, f := range formats {
			if err := r.pack(b, f.name, f.suffix); err != nil {
				return fmt.Errorf("package for %s on %s: %w", f.name, b.arch, err)
			}
		}
	}
	return nil
}

func (r *release) pack(b build, format, suffix string) error {
	text, err := os.ReadFile(filepath.Join(r.source, "internal/lab/release/files/nfpm.yaml"))
	if err != nil {
		return err
	}
	config, err := nfpm.Parse(strings.NewReader(strings.NewReplacer(
		"@VERSION@", r.version, "@ARCH@", b.arch, "@PROGRAM@", b.path, "@STAGE@", r.stage, "@SOURCE@", r.source,
	).Replace(string(text))))
	if err != nil {
		return err
	}
	info, err := config.Get(format)
	if err != nil {
		return err
	}
	info.MTime = r.when
	info = nfpm.WithDefaults(info)
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	return create(r.artefact("ccdestroy_%s_%s%s", r.version, b.arch, suffix), func(w io.Writer) error { return packager.Package(info, w) })
}

// create writes a file, and says so when it is not complete.
func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
