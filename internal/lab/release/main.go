// Command release builds everything that a release consists of, offline and so
// that two builds of one commit are equal byte for byte:
//
//	ccdestroy_VERSION_OS_ARCH.tar.gz    the program and its man page (.zip for Windows)
//	ccdestroy_VERSION_OS_ARCH.cdx.json  its bill of materials (CycloneDX)
//	ccdestroy_VERSION_ARCH.deb .rpm .apk .pkg.tar.zst
//	ccdestroy_VERSION_linux_ARCH.image.tar   a container image: docker load, or an OCI layout
//	ccdestroy.rb, ccdestroy.json        a Homebrew formula and a Scoop manifest
//	notes.md                            this release's section of CHANGELOG.md
//	SHA256SUMS                          of all of the above
//
// It needs Go and the modules of the product, and neither a Docker daemon nor the
// network. Every time in what it writes is that of the commit (SOURCE_DATE_EPOCH
// where that is set).
//
//	go run -C internal/lab/release . -source ../../.. -o ../../../bin/release
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// release is one release: what it is built from, and where it goes.
type release struct {
	source  string // the root of the repository
	out     string
	stage   string // for what ends up within something else
	version string // semantic, without a v
	commit  string
	when    time.Time
	builds  []build
}

func main() {
	source := flag.String("source", ".", "root of the repository")
	out := flag.String("o", "bin/release", "directory to write to; what it holds is replaced")
	version := flag.String("version", "", "version (default: the tag of the commit, else 0.0.0-TIME.COMMIT)")
	flag.Parse()
	if err := run(*source, *out, *version); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(source, out, version string) error {
	r, err := newRelease(source, out, version)
	if err != nil {
		return err
	}
	defer os.RemoveAll(r.stage)
	for _, step := range []func() error{r.compile, r.extras, r.archives, r.boms, r.packages, r.images, r.manifests, r.notes, r.sums} {
		if err := step(); err != nil {
			return err
		}
	}
	fmt.Printf("ccdestroy %s: %s\n", r.version, r.out)
	return nil
}

func newRelease(source, out, version string) (*release, error) {
	r := &release{version: version}
	var err error
	if r.source, err = filepath.Abs(source); err != nil {
		return nil, err
	}
	if r.out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	if err := r.identify(); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(r.out); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return nil, err
	}
	r.stage, err = os.MkdirTemp("", "ccdestroy-release-")
	return r, err
}

// host is the build that runs here.
func (r *release) host() (build, error) {
	for _, b := range r.builds {
		if b.os == runtime.GOOS && b.arch == runtime.GOARCH {
			return b, nil
		}
	}
	return build{}, fmt.Errorf("no release is made for %s/%s, so none can be made on it", runtime.GOOS, runtime.GOARCH)
}

// artefact is the path of a file of the release.
func (r *release) artefact(format string, args ...any) string {
	return filepath.Join(r.out, fmt.Sprintf(format, args...))
}
