package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"os"
)

// bom is a bill of materials, CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/):
// of its fields those that Go's own record of a build can fill.
type bom struct {
	Schema     string      `json:"$schema"`
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// boms writes the bill of materials of each build, from what the linker wrote into
// the program (go version -m): the modules that are in it, and none beside.
func (r *release) boms() error {
	for _, b := range r.builds {
		data, err := r.bom(b)
		if err != nil {
			return err
		}
		if err := os.WriteFile(r.artefact("ccdestroy_%s_%s_%s.cdx.json", r.version, b.os, b.arch), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) bom(b build) ([]byte, error) {
	info, err := buildinfo.ReadFile(b.path)
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(b.path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(program)
	main := module(info.Main.Path, "v"+r.version)
	main.Type, main.Hashes = "application", []hash{{"SHA-256", hex.EncodeToString(sum[:])}}
	main.Properties = []property{{"commit", r.commit}, {"platform", b.os + "/" + b.arch}}
	out := bom{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata: metadata{r.when.Format("2006-01-02T15:04:05Z"), main}, Components: []component{module("std", info.GoVersion)},
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := module(m.Path, m.Version)
		c.Properties = []property{{"go.sum", m.Sum}}
		out.Components = append(out.Components, c)
	}
	data, err := json.MarshalIndent(out, "", "  ")
	return append(data, '\n'), err
}

func module(path, version string) component {
	purl := "pkg:golang/" + path + "@" + version
	return component{Type: "library", Ref: purl, Name: path, Version: version, PURL: purl}
}
