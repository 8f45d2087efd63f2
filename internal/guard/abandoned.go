package guard

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Abandoned returns the paths of the sockets in dir that nobody listens at: those of
// plugins that were killed. dir is where the engine looks for plugins. An engine waits
// 15 seconds for each of them whenever it lists volumes, since it might be a driver of
// volumes. Sockets that we may not connect to are left out.
func Abandoned(dir string) []string {
	paths, _ := filepath.Glob(filepath.Join(dir, "*.sock")) // the pattern is well formed
	return slices.DeleteFunc(paths, func(path string) bool { return !abandoned(path) })
}

// abandoned reports whether there is a socket that nobody listens at.
func abandoned(path string) bool {
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSocket == 0 {
		return false // a file refuses a connection, too
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
