package packages

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

const version = "0.1.0"

// release is what make release builds.
type release struct{ dir string }

// file is a file of the release, by what comes behind ccdestroy_VERSION.
func (r release) file(suffix string) string {
	return filepath.Join(r.dir, "ccdestroy_"+version+suffix)
}

// building runs the builder on a source tree.
func building(t *testing.T, source, out string, wrap []string, env ...string) {
	t.Helper()
	cmd := exec.Command("go", "run", ".", "-source", source, "-o", out, "-version", version)
	if len(wrap) > 0 {
		cmd = exec.Command(wrap[0], append(wrap[1:], cmd.Args...)...)
	}
	if _, err := os.Stat(filepath.Join(source, ".git")); err != nil { // a tarball
		env = append(env, "SOURCE_DATE_EPOCH=1790000000")
	}
	cmd.Dir, cmd.Env = filepath.Join(source, "internal/lab/release"), append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

func TestRelease(t *testing.T) {
	need.That(t, "a minute or two, and is no unit test", !testing.Short())
	need.Command(t, "git", "dpkg-deb")
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	r := release{filepath.Join(t.TempDir(), "release")}
	building(t, root, r.dir, nil)
	t.Run("twice", func(t *testing.T) { twice(t, r, root) })
	t.Run("sums", func(t *testing.T) {
		cmd := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
		cmd.Dir = r.dir
		out, err := cmd.CombinedOutput()
		entries, _ := os.ReadDir(r.dir)
		if err != nil || strings.Count(string(out), ": OK\n") != len(entries)-1 {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("static", func(t *testing.T) { static(t, r) })
	t.Run("bill of materials", func(t *testing.T) { materials(t, r) })
	t.Run("manifests", func(t *testing.T) { manifests(t, r) })
	t.Run("apk", func(t *testing.T) { alpine(t, r) })
	t.Run("image", func(t *testing.T) { image(t, r) })
	t.Run("installed", func(t *testing.T) {
		s := debian(t)
		installed(t, s, r)
		s.in("dpkg", "--install", "/tmp/"+filepath.Base(r.file("_amd64.deb")))
		guarded(t, s)
	})
}

// twice builds a copy of the tree, elsewhere, in another time zone, for a strict
// umask and without the network: every byte is the same.
func twice(t *testing.T, r release, root string) {
	at := t.TempDir()
	copied, out := filepath.Join(at, "elsewhere"), filepath.Join(at, "out")
	need.Run(t, "sh", "-c", `mkdir "$2" && cd "$1" && tar --exclude=./bin -c . | tar -x --touch -C "$2"`, "sh", root, copied)
	wrap := []string{"sh", "-c", `umask 077; exec "$@"`, "sh"}
	if os.Getuid() == 0 {
		wrap = append(wrap, "unshare", "--net")
	}
	building(t, copied, out, wrap, "TZ=Asia/Tokyo", "GOPROXY=off", "GOFLAGS=-v", "LANG=C", "GOAMD64=v3")
	names, err := os.ReadDir(r.dir)
	if err != nil || len(names) != 6+6+8+2+2+1+1 {
		t.Errorf("%d files: %v", len(names), err)
	}
	for _, n := range names {
		one, err := os.ReadFile(filepath.Join(r.dir, n.Name()))
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(filepath.Join(out, n.Name()))
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s differs between two builds (%v)", n.Name(), err)
		}
	}
}

// program takes the program out of an archive, with the names that are in it.
func program(t *testing.T, archive string) (path string, names []string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if err == io.EOF {
			return path, names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if h.Name == "ccdestroy" {
			path = filepath.Join(t.TempDir(), h.Name)
			data, err := io.ReadAll(in)
			if err == nil {
				err = os.WriteFile(path, data, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// static: no interpreter and no library, and it runs with nothing around it.
func static(t *testing.T, r release) {
	for _, arch := range []string{"amd64", "arm64"} {
		path, names := program(t, r.file("_linux_"+arch+".tar.gz"))
		if strings.Join(names, " ") != "ccdestroy ccdestroy.1 LICENSE README.md" {
			t.Errorf("%s: %q", arch, names)
		}
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		libraries, err := f.ImportedLibraries()
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				t.Errorf("%s needs an interpreter", arch)
			}
		}
		if err != nil || len(libraries) > 0 {
			t.Errorf("%s needs %q: %v", arch, libraries, err)
		}
		f.Close()
	}
}

// materials: what is listed is what the program says of itself.
func materials(t *testing.T, r release) {
	var bom struct {
		BOMFormat  string
		Components []struct{ Name, Version, PURL string }
	}
	data, err := os.ReadFile(r.file("_linux_amd64.cdx.json"))
	if err == nil {
		err = json.Unmarshal(data, &bom)
	}
	path, _ := program(t, r.file("_linux_amd64.tar.gz"))
	info, err2 := buildinfo.ReadFile(path)
	if err != nil || err2 != nil || bom.BOMFormat != "CycloneDX" {
		t.Fatal(err, err2, bom.BOMFormat)
	}
	listed := map[string]string{}
	for _, c := range bom.Components {
		listed[c.Name] = c.Version
	}
	for _, m := range info.Deps {
		if listed[m.Path] != m.Version {
			t.Errorf("%s %s is listed as %q", m.Path, m.Version, listed[m.Path])
		}
	}
	if len(listed) != len(info.Deps)+1 || listed["std"] != info.GoVersion { // and the standard library
		t.Errorf("%d listed, %d built in", len(listed), len(info.Deps))
	}
}

// manifests of Homebrew and Scoop name this release's archives and their hashes.
func manifests(t *testing.T, r release) {
	sums, err := os.ReadFile(filepath.Join(r.dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	for name, platforms := range map[string][]string{
		"ccdestroy.rb":   {"darwin_amd64.tar.gz", "darwin_arm64.tar.gz", "linux_amd64.tar.gz", "linux_arm64.tar.gz"},
		"ccdestroy.json": {"windows_amd64.zip", "windows_arm64.zip"},
	} {
		text, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, platform := range platforms {
			file := "ccdestroy_" + version + "_" + platform
			before, _, found := strings.Cut(string(sums), "  "+file+"\n")
			_, after, listed := strings.Cut(string(text), "/v"+version+"/"+file+`"`)
			if !found || !listed || !strings.Contains(after[:min(len(after), 140)], before[strings.LastIndex(before, "\n")+1:]) {
				t.Errorf("%s does not have %s and its hash\n%s", name, file, text)
			}
		}
		if strings.HasSuffix(name, ".json") && !json.Valid(text) {
			t.Errorf("%s is not JSON", name)
		}
	}
}

// image loads without a registry, and runs with nothing beside the program in it.
func image(t *testing.T, r release) {
	need.That(t, "a Docker Engine", exec.Command("docker", "version").Run() == nil)
	const name = "ghcr.io/contextcore/ccdestroy:" + version
	if exec.Command("docker", "image", "inspect", name).Run() == nil {
		t.Skipf("SKIPPED: this engine has %s already; it is left alone", name)
	}
	need.Run(t, "docker", "load", "--input", r.file("_linux_amd64.image.tar"))
	defer exec.Command("docker", "image", "rm", name).Run()
	out, err := exec.Command("docker", "run", "--rm", "--network=none", name, "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "ccdestroy v"+version+"\n") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		layout(t, r.file("_linux_"+arch+".image.tar"), arch)
	}
}

// layout: every blob has the hash that it is named by, and both ways into the
// archive, index.json and docker's manifest.json, lead to the same ones.
func layout(t *testing.T, archive, arch string) {
	t.Helper()
	dir := t.TempDir()
	need.Run(t, "tar", "-xf", archive, "-C", dir)
	blobs, err := os.ReadDir(filepath.Join(dir, "blobs/sha256"))
	if err != nil || len(blobs) != 3 {
		t.Fatalf("%d blobs: %v", len(blobs), err)
	}
	for _, b := range blobs {
		data, err := os.ReadFile(filepath.Join(dir, "blobs/sha256", b.Name()))
		if sum := sha256.Sum256(data); err != nil || hex.EncodeToString(sum[:]) != b.Name() {
			t.Errorf("%s: %v", b.Name(), err)
		}
	}
	read := func(name string, into any) {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	type descriptor struct{ Digest string }
	blob := func(d descriptor) string { return "blobs/sha256/" + strings.TrimPrefix(d.Digest, "sha256:") }
	var index struct{ Manifests []descriptor }
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	var config struct{ Architecture, OS string }
	var docker []struct {
		Config string
		Layers []string
	}
	read("index.json", &index)
	read(blob(index.Manifests[0]), &manifest)
	read(blob(manifest.Config), &config)
	read("manifest.json", &docker)
	if config.Architecture != arch || config.OS != "linux" || docker[0].Config != blob(manifest.Config) || docker[0].Layers[0] != blob(manifest.Layers[0]) {
		t.Errorf("%+v %+v %+v", manifest, config, docker)
	}
}
