package archive

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// xattrCalls list and get the extended attributes of what a descriptor has open.
type xattrCalls struct {
	list func([]byte) (int, error)
	get  func(string, []byte) (int, error)
}

func fdXattrs(fd int) xattrCalls {
	return xattrCalls{
		func(buf []byte) (int, error) { return unix.Flistxattr(fd, buf) },
		func(name string, buf []byte) (int, error) { return unix.Fgetxattr(fd, name, buf) },
	}
}

// pathXattrs is for descriptors of openPath.
func pathXattrs(fd int) xattrCalls {
	return xattrCalls{
		func(buf []byte) (int, error) { return unix.Listxattr(procPath(fd), buf) },
		func(name string, buf []byte) (int, error) { return unix.Getxattr(procPath(fd), name, buf) },
	}
}

// maxXattrs is the kernel's limit for a list of names and for a value.
const maxXattrs = 64 << 10

func xattrs(calls xattrCalls, path string, c *Content) (map[string]string, error) {
	n, err := calls.list(nil)
	if n == 0 || errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	buf := make([]byte, maxXattrs)
	if n, err = calls.list(buf); err != nil {
		return nil, err
	}
	out := map[string]string{}
	value := make([]byte, maxXattrs)
	for name := range bytes.SplitSeq(bytes.TrimSuffix(buf[:n], []byte{0}), []byte{0}) {
		key := string(name)
		if why, not := notKept[key]; not {
			c.skip("extended attribute "+key, why, path)
			continue
		}
		if strings.Contains(key, "=") {
			c.skip("extended attribute "+key, `a tar cannot hold a name with "="`, path)
			continue
		}
		n, err := calls.get(key, value)
		if errors.Is(err, unix.ENODATA) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[key] = string(value[:n])
	}
	return out, nil
}

// pathCause is the error without a path that means nothing to a reader.
func pathCause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
