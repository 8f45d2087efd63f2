package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// What a bucket answers besides success.
var (
	ErrExists   = errors.New("an object of this key is there already")
	ErrNotThere = errors.New("no object of this key")
	ErrDenied   = errors.New("access denied")
)

// Putter creates objects. Whoever ships needs no more.
type Putter interface {
	// Put creates an object, once: ErrExists where the key is taken, also by an
	// earlier attempt of this call whose answer was lost. When it returns nil, the
	// object is durable. After any other error it may be there or not. It is tried
	// again until ctx ends, where that can help. Calls may run at once.
	Put(ctx context.Context, key string, data []byte) error
}

// Getter reads objects.
type Getter interface {
	// Get opens an object, which the caller closes: ErrNotThere, ErrDenied.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// Range reads a part of an object: fewer bytes than size where the object ends
	// before; ErrNotThere also where it ends before the part begins.
	Range(ctx context.Context, key string, at, size int64) ([]byte, error)
}

// Lister lists objects.
type Lister interface {
	// List lists the objects whose keys begin with a prefix, sorted by their bytes,
	// behind the key after; "" is from the first one. An error ends the listing.
	List(ctx context.Context, prefix, after string) iter.Seq2[Object, error]
	// Dirs lists what stands behind a prefix that ends with a slash, up to and with
	// the next slash, each once, with the prefix, sorted.
	Dirs(ctx context.Context, prefix string) ([]string, error)
}

// Reader is what reading a store takes.
type Reader interface {
	Getter
	Lister
}

// Bucket is a store: a prefix in a bucket. All keys are below the prefix.
type Bucket interface {
	Putter
	Reader
}

// Object is what a listing says of an object.
type Object struct {
	Key  string // below the prefix of the store
	Size int64  // bytes
}

// readAll reads an object of at most limit bytes, and only the beginning of a longer one:
// that is not what its key or seal names, and the caller notices. An error would let
// whoever can create objects keep others from reading.
func readAll(ctx context.Context, from Getter, key string, limit int64) ([]byte, error) {
	body, err := from.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	return data, nil
}
