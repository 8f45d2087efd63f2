package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

const (
	extension  = ".tar.zst"
	incomplete = ".incomplete"
	maxName    = 200 // bytes of a file name before the extension; the rest of a longer one is a hash
)

// archivePath is where the archive of a volume lies below the export.
func archivePath(volume string) string { return "volumes/" + fileName(volume) + extension }

// fileName spells a name so that it is a safe file name everywhere: other bytes
// than letters, digits, "_", "-" and inner dots become %XX.
func fileName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		safe := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' && i > 0
		if safe {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	out := b.String()
	if len(out) > maxName {
		sum := sha256.Sum256([]byte(name))
		out = out[:maxName-17] + "~" + hex.EncodeToString(sum[:8])
	}
	return out
}

// Name is the directory name of an export of a project that begins at t.
func Name(project string, t time.Time) string {
	return fileName(project) + "-" + t.UTC().Format("20060102T150405Z")
}
