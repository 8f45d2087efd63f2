package archive

import (
	"errors"
	"fmt"
	"strings"
)

// Limits of a manifest. A volume has some 70 values in it, each with the
// brackets and commas that stand around it.
const (
	maxManifest  = 64 << 20 // bytes
	maxValues    = 1 << 18
	maxNesting   = 32
	maxNameBytes = 1 << 10 // of a volume
)

// weigh refuses a JSON text that would take more memory and time than any
// manifest, before it is parsed. It does not check whether it is JSON.
func weigh(data []byte) error {
	if len(data) > maxManifest {
		return fmt.Errorf("it has more than %d bytes", maxManifest)
	}
	values, depth, quoted := 0, 0, false
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			values++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
		if values > maxValues || depth > maxNesting {
			return fmt.Errorf("it has more than %d values, or more than %d within each other", maxValues, maxNesting)
		}
	}
	return nil
}

// check refuses what Save and Finish would not write.
func (m Manifest) check() error {
	seen := map[string]bool{}
	var bytes, size int64
	for _, v := range m.Volumes {
		switch path := v.Archive.Path; {
		case len(v.Name) > maxNameBytes:
			return fmt.Errorf("the name of a volume has %d bytes", len(v.Name))
		case v.Name == "" || path != archivePath(v.Name) && path != formerPath(v.Name):
			return fmt.Errorf("its volume %q has the archive %q, where %q belongs", v.Name, clip(path), archivePath(v.Name))
		case seen[v.Name]:
			return fmt.Errorf("it has the volume %q twice", v.Name)
		}
		seen[v.Name] = true
		if err := v.check(); err != nil {
			return fmt.Errorf("its volume %q: %w", v.Name, err)
		}
		if bytes, size = bytes+v.Content.Bytes, size+v.Archive.Size; bytes < 0 || size < 0 {
			return errors.New("the sum of its volumes is beyond all numbers")
		}
	}
	return nil
}

func (v Volume) check() error {
	numbers := []int64{v.Content.Bytes, v.Disk, v.Archive.Size, v.Archive.TarSize, int64(v.Root.UID), int64(v.Root.GID)}
	for _, n := range v.Entries {
		numbers = append(numbers, n)
	}
	for _, s := range v.Skipped {
		numbers = append(numbers, s.Count)
	}
	for _, n := range numbers {
		if n < 0 {
			return fmt.Errorf("it has a number %d", n)
		}
	}
	if !isSum(v.Archive.SHA256) || !isSum(v.Archive.TarSHA256) {
		return errors.New("its archive has no SHA-256")
	}
	if v.Archive.MediaType != MediaType {
		return fmt.Errorf("its archive is of the type %q", clip(v.Archive.MediaType))
	}
	return nil
}

// isSum reports whether a text is a SHA-256 as hexSum writes it.
func isSum(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// clip keeps a text from outside from filling a message.
func clip(text string) string {
	return text[:min(len(text), maxNameBytes)]
}
