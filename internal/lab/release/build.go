package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// platforms are those that a release is built for.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// build is the program for one platform.
type build struct {
	os, arch string
	path     string
}

// semantic is a version as packages and tags have it.
var semantic = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// identify finds out which version this is, and of what time.
func (r *release) identify() error {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	head, err := r.git("log", "-1", "--format=%ct %h %H")
	if err != nil && r.version != "" && epoch != "" { // a tarball, of which somebody knows both
		head, err = epoch+" unknown unknown", nil
	}
	if err != nil {
		return fmt.Errorf("determine the commit: %w", err)
	}
	words := strings.Fields(head)
	if len(words) != 3 {
		return fmt.Errorf("git log printed %q", head)
	}
	seconds, err := strconv.ParseInt(words[0], 10, 64)
	if epoch != "" {
		seconds, err = strconv.ParseInt(epoch, 10, 64)
	}
	if err != nil {
		return fmt.Errorf("determine the time: %w", err)
	}
	r.when, r.commit = time.Unix(seconds, 0).UTC(), words[2]
	if r.version == "" {
		if r.version, err = r.named(words[1]); err != nil {
			return err
		}
	}
	r.version = strings.TrimPrefix(r.version, "v")
	if !semantic.MatchString(r.version) {
		return fmt.Errorf("version %q is not like 1.2.3 or 1.2.3-rc.1", r.version)
	}
	return nil
}

// named is the version that the tag of the commit says, else one that is older than
// any release.
func (r *release) named(commit string) (string, error) {
	changed, err := r.git("status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return "", err
	}
	if tag, err := r.git("describe", "--exact-match", "--tags", "--match", "v[0-9]*"); err == nil && changed == "" {
		return tag, nil
	}
	version := fmt.Sprintf("0.0.0-%s.%s", r.when.Format("20060102150405"), commit)
	if changed != "" {
		version += ".dirty"
	}
	return version, nil
}

func (r *release) git(args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", r.source, "-c", "safe.directory=" + r.source}, args...)...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}

// goSettings are the variables that change what the compiler writes. They are
// taken from nobody.
var goSettings = []string{"GOOS", "GOARCH", "GOFLAGS", "GOEXPERIMENT", "GOAMD64", "GOARM64", "GOFIPS140", "CGO_ENABLED", "GOWORK"}

// compile builds the program for every platform: static, without paths of this
// machine and without a build id.
func (r *release) compile() error {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(goSettings, name)
	})
	env = append(env, "CGO_ENABLED=0", "GOWORK=off", "GOAMD64=v1", "GOARM64=v8.0")
	for _, platform := range platforms {
		goos, arch, _ := strings.Cut(platform, "/")
		b := build{os: goos, arch: arch, path: filepath.Join(r.stage, goos+"_"+arch, "ccdestroy")}
		if goos == "windows" {
			b.path += ".exe"
		}
		// The version of the source's control system is left out: it says where the
		// build happened (a tarball has none), and the commit is in the bill of
		// materials.
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly",
			"-ldflags", "-s -w -buildid= -X github.com/contextcore/ccdestroy/internal/cli.Version=v"+r.version+
				" -X github.com/contextcore/ccdestroy/internal/cli.Commit="+r.commit+
				" -X github.com/contextcore/ccdestroy/internal/cli.CommitTime="+r.when.Format(time.RFC3339),
			"-o", b.path, "./cmd/ccdestroy")
		cmd.Dir, cmd.Env = r.source, append(slices.Clone(env), "GOOS="+goos, "GOARCH="+arch)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build for %s: %w\n%s", platform, err, out)
		}
		r.builds = append(r.builds, b)
	}
	return nil
}
