package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/contextcore/ccdestroy/internal/render"
)

// What a release is built from; otherwise what the go command noted is used.
var (
	Version    string
	Commit     string
	CommitTime string // RFC 3339
)

func version() string {
	if Version != "" {
		return Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

type versionCmd struct {
	Format string `enum:"table,json" default:"table" help:"table or json."`
}

// Run prints the version and what the binary was built from.
func (c versionCmd) Run(p Process) error {
	b := render.Build{Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Commit: Commit, Time: CommitTime}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.time":
				b.Time = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			}
		}
	}
	if c.Format == "json" {
		return render.BuildJSON(p.Stdout, b)
	}
	if _, err := fmt.Fprintln(p.Stdout, "ccdestroy "+b.Version); err != nil {
		return err
	}
	return render.BuildText(p.Stdout, b)
}
