package packages

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// shipped is what every package holds; Debian has two of zsh's and docker's files
// elsewhere than Arch.
var shipped = []string{
	"usr/bin/ccdestroy", "usr/share/man/man1/ccdestroy.1.gz", "usr/share/bash-completion/completions/ccdestroy",
	"usr/share/fish/vendor_completions.d/ccdestroy.fish", "usr/lib/systemd/system/ccdestroy-trash-purge.service",
	"usr/lib/systemd/system/ccdestroy-trash-purge.timer", "usr/share/doc/ccdestroy/copyright", "usr/share/doc/ccdestroy/config.yaml.example",
}

// alpine: Debian has no apk, so the package is looked at as what it is, three gzip
// streams of tar in a row.
func alpine(t *testing.T, r release) {
	out, err := exec.Command("tar", "-tzf", r.file("_amd64.apk")).Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(out))
	for _, want := range append(slices.Clone(shipped), ".PKGINFO", ".post-install", ".pre-deinstall",
		"usr/libexec/docker/cli-plugins/docker-ccdestroy", "usr/share/zsh/site-functions/_ccdestroy") {
		if !slices.Contains(names, want) {
			t.Errorf("the package lacks %s: %q", want, names)
		}
	}
}

// system is a Debian of its own below a directory.
type system struct {
	t    *testing.T
	root string
}

// debian is made by debootstrap from the archive that apt uses here.
func debian(t *testing.T) system {
	t.Helper()
	need.Root(t)
	need.Command(t, "debootstrap", "rpm", "pacman")
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(ORIGIN)", "Created-By: Packages").Output()
	uri, codename := "", ""
	for line := range strings.Lines(string(out)) {
		if w := strings.Fields(line); len(w) == 3 && (w[2] == "Debian" || w[2] == "Ubuntu") && !strings.ContainsAny(w[1], "-/") && !strings.Contains(w[0], "security") {
			uri, codename = w[0], w[1]
		}
	}
	need.That(t, "the archive of Debian or Ubuntu that apt uses", err == nil && uri != "")
	s := system{t, filepath.Join(t.TempDir(), "root")}
	need.Run(t, "debootstrap", "--variant=minbase", "--include=systemd,docker.io", codename, s.root, uri)
	return s
}

// in runs a command in the system.
func (s system) in(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("chroot", append([]string{s.root}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C", "DEBIAN_FRONTEND=noninteractive"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (s system) has(name string) bool {
	_, err := os.Lstat(filepath.Join(s.root, name))
	return !errors.Is(err, fs.ErrNotExist)
}

func (s system) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.root, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// works: the program, the plugin, the page and the units are there and sound.
func (s system) works(want, plugin, zsh string) {
	s.t.Helper()
	for _, name := range append(slices.Clone(shipped), plugin, zsh) {
		if !s.has(name) {
			s.t.Errorf("%s is not installed", name)
		}
	}
	if got := s.in("ccdestroy", "version"); !strings.HasPrefix(got, "ccdestroy v"+want+"\n") {
		s.t.Errorf("%q", got)
	}
	if got := s.in("/"+plugin, "docker-cli-plugin-metadata"); !strings.Contains(got, `"SchemaVersion"`) {
		s.t.Errorf("%q", got)
	}
	page := s.in("gzip", "-dc", "/usr/share/man/man1/ccdestroy.1.gz")
	if !strings.HasPrefix(page, ".TH CCDESTROY 1") {
		s.t.Errorf("%.100q", page)
	}
	if got := s.in("systemd-analyze", "--man=no", "verify", "/usr/lib/systemd/system/ccdestroy-trash-purge.timer"); strings.Contains(got, "ccdestroy") {
		s.t.Error(got)
	}
}

// gone: nothing of the package is left, and everything that was somebody's.
func (s system) gone(kept map[string]string) {
	s.t.Helper()
	for _, name := range shipped {
		if s.has(name) {
			s.t.Errorf("%s is still there", name)
		}
	}
	s.keeps(kept)
}

func (s system) keeps(kept map[string]string) {
	s.t.Helper()
	for name, want := range kept {
		got, err := os.ReadFile(filepath.Join(s.root, name))
		if err != nil || !bytes.Equal(got, []byte(want)) {
			s.t.Errorf("%s was %q and is %q: %v", name, want, got, err)
		}
	}
}

// installed puts the packages into a Debian, upgrades them and takes them away.
// Logs, settings, exports and heads stay through all of it, a purge included.
func installed(t *testing.T, s system, r release) {
	t.Helper()
	kept := map[string]string{"etc/ccdestroy/config.yaml": "keep-for: 30d\n", "root/.config/ccdestroy/config.yaml": "prompt-timeout: 2m\n",
		"srv/shop/backups/shop-20261123T101500Z/manifest.json": "{}\n"}
	for name, text := range kept {
		s.write(name, text)
	}
	s.write("tmp/older.deb", older(t, r))
	s.in("dpkg", "--install", "/tmp/older.deb")
	if got := s.in("dpkg-query", "--show", "--showformat", "${Version}", "ccdestroy"); got != "0.0.9" {
		t.Fatal(got)
	}
	s.in("sh", "-c", "cd /srv/shop && ccdestroy record --operation delete_dashboard --outcome success")
	for _, name := range []string{"srv/shop/.contextcore/audit.jsonl"} {
		text, err := os.ReadFile(filepath.Join(s.root, name))
		if err != nil || len(text) == 0 {
			t.Fatal(err)
		}
		kept[name] = string(text)
	}
	need.Run(t, "cp", r.file("_amd64.deb"), r.file("_amd64.rpm"), r.file("_amd64.pkg.tar.zst"), filepath.Join(s.root, "tmp"))

	s.in("dpkg", "--install", "/tmp/"+filepath.Base(r.file("_amd64.deb")))
	s.works(version, "usr/libexec/docker/cli-plugins/docker-ccdestroy", "usr/share/zsh/vendor-completions/_ccdestroy")
	s.keeps(kept)
	if got := s.in("sh", "-c", "cd /srv/shop && ccdestroy audit verify"); !strings.Contains(got, ": intact.") {
		t.Error(got)
	}
	s.in("dpkg", "--remove", "ccdestroy")
	s.gone(kept)
	s.in("dpkg", "--purge", "ccdestroy")
	s.gone(kept)

	rpm := func(args ...string) { need.Run(t, "rpm", append([]string{"--root", s.root, "--nodeps"}, args...)...) }
	rpm("--install", r.file("_amd64.rpm"))
	s.works(version, "usr/libexec/docker/cli-plugins/docker-ccdestroy", "usr/share/zsh/site-functions/_ccdestroy")
	rpm("--upgrade", "--force", r.file("_amd64.rpm"))
	s.works(version, "usr/libexec/docker/cli-plugins/docker-ccdestroy", "usr/share/zsh/site-functions/_ccdestroy")
	rpm("--erase", "ccdestroy")
	s.gone(kept)

	need.Run(t, "mkdir", "-p", filepath.Join(s.root, "var/lib/pacman"), filepath.Join(s.root, "var/cache/pacman"))
	s.write("pacman.conf", "[options]\nArchitecture = x86_64\nSigLevel = Never\n")
	pacman := func(args ...string) {
		need.Run(t, "pacman", append([]string{"--config", filepath.Join(s.root, "pacman.conf"), "--root", s.root, "--dbpath", filepath.Join(s.root, "var/lib/pacman"),
			"--cachedir", filepath.Join(s.root, "var/cache/pacman"), "--logfile", filepath.Join(s.root, "var/log/pacman.log"), "--noconfirm", "--nodeps", "--nodeps"}, args...)...)
	}
	pacman("--upgrade", r.file("_amd64.pkg.tar.zst"))
	s.works(version, "usr/lib/docker/cli-plugins/docker-ccdestroy", "usr/share/zsh/site-functions/_ccdestroy")
	pacman("--upgrade", r.file("_amd64.pkg.tar.zst"))
	pacman("--remove", "ccdestroy")
	s.gone(kept)
}

// older is the Debian package as if it were of a version before.
func older(t *testing.T, r release) string {
	t.Helper()
	at := t.TempDir()
	need.Run(t, "dpkg-deb", "--raw-extract", r.file("_amd64.deb"), filepath.Join(at, "tree"))
	need.Run(t, "sed", "-i", "s/^Version: .*/Version: 0.0.9/", filepath.Join(at, "tree/DEBIAN/control"))
	need.Run(t, "dpkg-deb", "--root-owner-group", "--build", filepath.Join(at, "tree"), filepath.Join(at, "older.deb"))
	data, err := os.ReadFile(filepath.Join(at, "older.deb"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
