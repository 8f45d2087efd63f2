package archive

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// What lies at a path is told as a user and as a log have it.
func TestFound(t *testing.T) {
	e := exported(t, fromTar(stream(t, dir("./"), file("./a"))))
	dirs, archived := []string{filepath.Dir(e.Dir)}, filepath.Join(e.Dir, "volumes", "v.tar.zst")
	want := Found{
		Path: e.Dir, State: StateComplete, Project: "shop", Volumes: []string{"v"},
		Bytes: e.Manifest.Bytes(), Size: e.Manifest.Volumes[0].Archive.Size, Sum: e.Sum, Started: e.Manifest.Started,
	}
	if got := At(e.Dir); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if got := AtListed(e.Dir, e.Sum, dirs); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	says := func(name string, f Found, state State, why string) {
		t.Helper()
		if f.State != state || (why == "") != (f.Why == "") || !strings.Contains(f.Why, why) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	says("another manifest", AtListed(e.Dir, hexSum(nil), dirs), StateChanged, "manifest")
	says("elsewhere", AtListed(e.Dir, e.Sum, []string{memoryDir(t)}), StateElsewhere, "not below")
	says("nothing", At(e.Dir+"x"), StateMissing, "")
	says("nothing, in a log", AtListed(e.Dir+"x", e.Sum, dirs), StateMissing, "")
	says("nothing, half", At(e.Dir+incomplete), StateMissing, "")
	says("a file", At(archived), StateDamaged, "not a directory")

	if err := os.Truncate(archived, 3); err != nil {
		t.Fatal(err)
	}
	says("a short archive", At(e.Dir), StateDamaged, "3 bytes")
	if f := At(e.Dir); f.Project != "shop" {
		t.Errorf("%+v", f)
	}
	says("a short archive of another manifest", AtListed(e.Dir, hexSum(nil), dirs), StateDamaged, "3 bytes")
	if err := os.Remove(archived); err != nil {
		t.Fatal(err)
	}
	says("no archive", At(e.Dir), StateDamaged, "missing")
	if err := os.WriteFile(filepath.Join(e.Dir, manifestName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	says("no manifest", At(e.Dir), StateDamaged, "no manifest")

	d, changed := begun(t), time.Unix(1_500_000_000, 0)
	if err := errors.Join(os.WriteFile(filepath.Join(d.Dir(), manifestName), nil, 0o600), os.Chtimes(d.Dir(), changed, changed)); err != nil {
		t.Fatal(err)
	}
	says("half of one", At(d.Dir()), StateIncomplete, "")
	if f := At(d.Dir()); !f.Started.Equal(changed) {
		t.Errorf("%+v", f)
	}
}
