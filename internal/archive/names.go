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
	maxName    = 200 // bytes of a file name before the extension; a longer one ends in a hash
)

// archivePath is where the archive of a volume lies below the export.
func archivePath(volume string) string { return "volumes/" + fileName(volume) + extension }

// formerPath is where it was before names differed in more than case.
// Such exports are read.
func formerPath(volume string) string {
	return "volumes/" + spell(volume, func(i int) bool { return upper(volume[i]) || plain(volume, i) || volume[i] == '.' && i > 0 }) + extension
}

// fileName spells a name so that it is a safe file name everywhere. Other bytes
// than lower-case letters, digits, "_", "-" and inner dots become %XX: on a disk
// that does not tell upper from lower case, "Data" and "data" stay two files.
// So does the first byte of a name that is a device's on Windows.
func fileName(name string) string {
	device := reserved(name)
	return spell(name, func(i int) bool { return plain(name, i) && !(device && i == 0) })
}

func plain(name string, i int) bool {
	c := name[i]
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' && i > 0 && i < len(name)-1
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

// reserved reports whether Windows takes a name for a device's, whatever
// follows its first dot.
//
// https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
func reserved(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	if port := strings.HasPrefix(stem, "com") || strings.HasPrefix(stem, "lpt"); port && len(stem) == 4 {
		return stem[3] >= '0' && stem[3] <= '9'
	}
	return stem == "con" || stem == "prn" || stem == "aux" || stem == "nul"
}

// spell writes every byte that may not stay as %XX.
func spell(name string, stays func(i int) bool) string {
	var b strings.Builder
	for i := range len(name) {
		if stays(i) {
			b.WriteByte(name[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", name[i])
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
