package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// newVolumePlugin serves a volume driver of the engine's legacy protocol, which
// keeps its volumes in a directory of the test, and returns the driver's name
// and the directory of its socket. It must not be one that other engines look
// into: they would never forget it.
//
// https://docs.docker.com/engine/extend/plugins_volume/
func newVolumePlugin(t *testing.T) (name, dir string) {
	t.Helper()
	name = fmt.Sprintf("e2e%d", os.Getpid())
	dir, err := os.MkdirTemp("/tmp", "ccdestroy-plugin-*") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, name+".sock"))
	if err != nil {
		t.Fatal(err)
	}
	root, volumes, mu := t.TempDir(), map[string]bool{}, sync.Mutex{}
	answer := func(w http.ResponseWriter, v map[string]any) {
		w.Header().Set("Content-Type", "application/vnd.docker.plugins.v1.1+json")
		_ = json.NewEncoder(w).Encode(v)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Name string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		mu.Lock()
		defer mu.Unlock()
		at := filepath.Join(root, in.Name)
		switch r.URL.Path {
		case "/Plugin.Activate":
			answer(w, map[string]any{"Implements": []string{"VolumeDriver"}})
		case "/VolumeDriver.Create":
			volumes[in.Name] = os.MkdirAll(at, 0o755) == nil
			answer(w, map[string]any{"Err": ""})
		case "/VolumeDriver.Remove":
			delete(volumes, in.Name)
			_ = os.RemoveAll(at)
			answer(w, map[string]any{"Err": ""})
		case "/VolumeDriver.List":
			list := []map[string]string{}
			for v := range volumes {
				list = append(list, map[string]string{"Name": v})
			}
			answer(w, map[string]any{"Volumes": list, "Err": ""})
		case "/VolumeDriver.Get":
			if !volumes[in.Name] {
				answer(w, map[string]any{"Err": "no such volume"})
				return
			}
			answer(w, map[string]any{"Volume": map[string]string{"Name": in.Name}, "Err": ""})
		case "/VolumeDriver.Mount", "/VolumeDriver.Path":
			answer(w, map[string]any{"Mountpoint": at, "Err": ""})
		case "/VolumeDriver.Capabilities":
			answer(w, map[string]any{"Capabilities": map[string]string{"Scope": "local"}})
		default:
			answer(w, map[string]any{"Err": ""})
		}
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		os.RemoveAll(dir)
	})
	return name, dir
}
