//go:build !linux

package trash

import "errors"

// No engine keeps its volumes on a file system of this kind of host.
func identity(string) (string, error)  { return "", errors.ErrUnsupported }
func renameNew(string, string) error   { return errors.ErrUnsupported }
func renameEmpty(string, string) error { return errors.ErrUnsupported }
