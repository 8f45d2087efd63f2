//go:build !linux

package archive

import (
	"context"
	"io"
)

func writeTree(context.Context, string, io.Writer, Source) (Content, error) {
	return Content{}, ErrNoDirect
}

func plantTree(context.Context, string, io.Reader) (Content, error) { return Content{}, ErrNoDirect }
