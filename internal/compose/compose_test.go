package compose

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

func project(t *testing.T, files map[string]string, env ...string) *Compose {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return &Compose{Dir: dir, Env: append([]string{"HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH"), "DOCKER_CONFIG=" + os.Getenv("DOCKER_CONFIG")}, env...)}
}

const shop = `
name: shop
services:
  db:
    image: db
    volumes: [data:/data]
  web:
    image: web
    depends_on: [db]
    volumes: [uploads:/u, ./conf:/conf, "./ro:/ro:ro"]
    pre_stop: [{command: [drain, now]}]
  debug:
    image: db
    profiles: [debug]
    volumes: [traces:/t]
volumes:
  data: {}
  uploads: {name: up}
  traces: {}
  spare: {}
  old: {external: true, name: legacy}
`

func declared(m inventory.Model, key string) inventory.Declared {
	i := slices.IndexFunc(m.Volumes, func(d inventory.Declared) bool { return d.Key == key })
	if i < 0 {
		return inventory.Declared{}
	}
	return m.Volumes[i]
}

func TestModel(t *testing.T) {
	c := project(t, map[string]string{"compose.yaml": shop})
	m, err := c.Model(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if m.Project != "shop" || m.Mode != inventory.Files || m.Via != "" || len(m.Services) != 2 {
		t.Errorf("%+v", m)
	}
	web := m.Services["web"]
	if !web.Going || !slices.Equal(web.PreStop, []string{"drain now"}) || len(web.Binds) != 2 || !web.Binds[0].Writable || web.Binds[1].Writable {
		t.Errorf("%+v", web)
	}
	if d := declared(m, "uploads"); d.Name != "up" || d.Skipped != "" {
		t.Errorf("%+v", d)
	}
	if d := declared(m, "traces"); !strings.Contains(d.Skipped, "profile debug is not active") {
		t.Errorf("%+v", d)
	}
	if d := declared(m, "spare"); !strings.Contains(d.Skipped, "no service uses it") {
		t.Errorf("%+v", d)
	}
	if d := declared(m, "old"); !d.External || d.Name != "legacy" {
		t.Errorf("%+v", d)
	}
}

func TestModelOfNamedServices(t *testing.T) {
	c := project(t, map[string]string{"compose.yaml": shop})
	c.Args.Services = []string{"web"}
	m, err := c.Model(context.Background())
	if err != nil || !m.Services["web"].Going || m.Services["db"].Going || len(m.Services) != 2 {
		t.Errorf("%+v %v", m.Services, err)
	}
}

// What Compose itself says of the project is what our own loading says.
func TestAskedEqualsLoaded(t *testing.T) {
	if os.Getenv("CCDESTROY_LAB") == "" {
		t.Skip("SKIPPED: make test runs this with a Compose")
	}
	for _, args := range []Args{{}, {Services: []string{"web"}}, {Profiles: []string{"debug"}}, {AllResources: true}} {
		c := project(t, map[string]string{"compose.yaml": shop})
		c.Args = args
		loaded, err := c.load(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		asked, err := c.ask(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if asked.Via != "compose config" || asked.Project != loaded.Project || asked.Dir != loaded.Dir {
			t.Errorf("%+v: %+v", args, asked)
		}
		if !reflect.DeepEqual(asked.Services, loaded.Services) {
			t.Errorf("%+v: services\n  asked %+v\n loaded %+v", args, asked.Services, loaded.Services)
		}
		for _, d := range loaded.Volumes {
			if got := declared(asked, d.Key); d.Skipped == "" && !d.External && got != d {
				t.Errorf("%+v: volume %+v, asked %+v", args, d, got)
			}
			if got := declared(asked, d.Key); d.Skipped != "" && got.Key != "" && !got.External {
				t.Errorf("%+v: volume %+v is skipped, asked says %+v", args, d, got)
			}
		}
	}
}

func TestArgsAreKept(t *testing.T) {
	zero, all := 0, -1
	yes := true
	a := Args{Host: "unix:///x", Files: []string{"b.yaml", "a.yaml", "-"}, ProjectName: "Shop", Profiles: []string{"p"}, EnvFiles: []string{"e"}, ProjectDirectory: "d",
		AllResources: true, Parallel: &all, Progress: "plain", Ansi: "never", Compatibility: true,
		Timeout: &zero, Images: "all", RemoveOrphans: &yes, Volumes: true, Services: []string{"-odd", "web"}}
	want := "--host unix:///x compose --file b.yaml --file a.yaml --file - --project-name Shop --profile p --env-file e --project-directory d --all-resources --parallel -1 --progress plain --ansi never --compatibility " +
		"down --volumes --timeout 0 --rmi all --remove-orphans=true -- -odd web"
	if got := strings.Join(a.down(), " "); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := strings.Join(Args{Volumes: true}.down(), " "); got != "compose down --volumes" {
		t.Errorf("%q", got)
	}
}

func TestTail(t *testing.T) {
	w := &tailWriter{}
	for range 10000 {
		_, _ = w.Write([]byte("\x1b[2K\x1b[1A[+] down 1/2\r\n"))
	}
	_, _ = w.Write([]byte("\x1b]8;;http://x\x07link\x1b]8;;\x07\r\nthe end \xff\n"))
	if got := w.String(); got != "[+] down 1/2\nlink\nthe end �" {
		t.Errorf("%q", got)
	}
	if len(w.buf) > 3*tailRaw {
		t.Errorf("%d bytes kept", len(w.buf))
	}
	w = &tailWriter{}
	for i := range 5000 {
		_, _ = w.Write([]byte(strings.Repeat("é", i%7) + "\n"))
	}
	if got := w.String(); len(got) > tailSize || strings.Contains(got, "�") {
		t.Errorf("%d bytes", len(got))
	}
}

func TestVersionIsRemembered(t *testing.T) {
	c := project(t, nil)
	bin := t.TempDir()
	asked := filepath.Join(bin, "asked")
	write := func(version string) {
		script := "#!/bin/sh\necho x >> " + asked + "\necho '{\"version\":\"" + version + "\"}'\n"
		if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("v9")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	c.Cache = t.TempDir()
	again := func() *Compose { return &Compose{Dir: c.Dir, Env: c.Env, Cache: c.Cache} }
	for range 2 {
		if v, err := again().Version(context.Background()); err != nil || v != "v9" {
			t.Fatalf("%q %v", v, err)
		}
	}
	if data, _ := os.ReadFile(asked); string(data) != "x\n" {
		t.Errorf("asked %q times", data)
	}
	write("v10.1")
	if v, err := again().Version(context.Background()); err != nil || v != "v10.1" {
		t.Errorf("after a change: %q %v", v, err)
	}
}

// Each reader of standard input has all of it, also when several read at once.
func TestInputForAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	want := strings.Repeat("services: {}\n", 10_000)
	if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := &Compose{Args: Args{Files: []string{"-"}}, Stdin: f}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			in, err := c.input(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := io.ReadAll(in); err != nil || string(got) != want {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	all.Wait()
}

// Nobody waits for input that does not come longer than he must.
func TestInputThatDoesNotCome(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close() // the reader ends, and with it the test's process
	c := &Compose{Args: Args{Files: []string{"-"}}, Stdin: read}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := c.input(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("input: %v", err)
	}
	if _, err := c.Model(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("model: %v", err)
	}
}
