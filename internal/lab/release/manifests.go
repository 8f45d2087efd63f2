package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the templates
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

//go:embed files/ccdestroy.rb.tmpl
var formula string

//go:embed files/ccdestroy.json.tmpl
var scoop string

// manifests writes the Homebrew formula and the Scoop manifest, with the addresses
// and the hashes of this release's archives.
func (r *release) manifests() error {
	url := func(platform, suffix string) string {
		return fmt.Sprintf("https://github.com/contextcore/ccdestroy/releases/download/v%s/ccdestroy_%s_%s%s", r.version, r.version, platform, suffix)
	}
	sum := func(platform, suffix string) (string, error) {
		return sha256File(r.artefact("ccdestroy_%s_%s%s", r.version, platform, suffix))
	}
	for name, text := range map[string]string{"ccdestroy.rb": formula, "ccdestroy.json": scoop} {
		t, err := template.New(name).Funcs(template.FuncMap{"url": url, "sum": sum}).Parse(text)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, map[string]string{"Version": r.version}); err != nil {
			return err
		}
		if err := os.WriteFile(r.artefact("%s", name), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// notes writes this release's section of the changelog; of a version that has none,
// what is not released yet.
func (r *release) notes() error {
	text, err := os.ReadFile(filepath.Join(r.source, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	sections := strings.Split("\n"+string(text), "\n## ")[1:]
	at := slices.IndexFunc(sections, func(s string) bool { return strings.HasPrefix(s, r.version+" ") })
	if at < 0 {
		at = slices.IndexFunc(sections, func(s string) bool { return strings.HasPrefix(s, "Unreleased") })
	}
	if at < 0 {
		return fmt.Errorf("CHANGELOG.md has no section %q and none for what is unreleased", r.version)
	}
	_, body, _ := strings.Cut(sections[at], "\n")
	return os.WriteFile(r.artefact("notes.md"), []byte(strings.TrimSpace(body)+"\n"), 0o644)
}

// sums writes SHA256SUMS, for sha256sum -c.
func (r *release) sums() error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, e := range entries {
		sum, err := sha256File(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n", sum, e.Name())
	}
	return os.WriteFile(r.artefact("SHA256SUMS"), []byte(b.String()), 0o644)
}

func sha256File(path string) (string, error) {
	data, err := os.ReadFile(path)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}
