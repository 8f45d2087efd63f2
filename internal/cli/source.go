package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/store"
)

// sourceFlag is for commands that read.
type sourceFlag struct {
	Store storeSource `fixed:"" help:"Read all logs in the configured store, or in the one given: --store=s3://BUCKET/PREFIX."`
	keyFlag
}

// storeSource is the flag --store of commands that read: by itself it means the
// store that is set, and with an address another one.
type storeSource struct{ url string }

// IsBool says that it needs no value.
func (*storeSource) IsBool() bool { return true }

// configured is the store that is set.
const configured = "true"

// Decode takes the value behind the equals sign, or a next word that is an address.
func (s *storeSource) Decode(ctx *kong.DecodeContext) error {
	s.url = configured
	next := ctx.Scan.Peek()
	text, _ := next.Value.(string)
	if next.Type == kong.FlagValueToken || strings.HasPrefix(text, "s3://") {
		s.url = fmt.Sprint(ctx.Scan.Pop().Value)
	}
	return nil
}

// source opens the store to read from, nil where the log is meant.
func (p Process) source(f sourceFlag) (*source, error) {
	url := f.Store.url
	if url == configured {
		url = ""
		if set := p.set.all("store"); len(set) > 0 {
			url = fmt.Sprint(set[0].value)
		}
		if url == "" {
			return nil, fault.Usage("--store=s3://BUCKET/PREFIX; or set "+variable("store")+"; docs/store.md", "--store: no store is set")
		}
	}
	if url == "" || url == "false" {
		if len(f.StoreKey) > 0 && len(p.set.all("store-key")) == 0 { // typed, so that somebody counts on it
			return nil, fault.Usage("--store --store-key KEY", "--store-key is the key of a store, and the log here is not sealed")
		}
		return nil, nil
	}
	s, err := p.store(url)
	if err != nil {
		return nil, err
	}
	keys, err := f.keys()
	if err != nil {
		return nil, err
	}
	if p.Getenv("GOGC") == "" {
		debug.SetGCPercent(100) // what is read is large, and goes at once
	}
	var once sync.Once
	lines := store.NewSource(s, keys, func(key string, err error) {
		once.Do(func() {
			p.say("WARNING: %s: passed over %s, and perhaps more: %s: ccdestroy audit verify --store", s, render.Terminal(key), render.Terminal(err.Error()))
		})
	})
	if cache := p.xdg("XDG_CACHE_HOME", ".cache"); cache != "" {
		lines.Packs.Cache = &store.Cache{Dir: filepath.Join(cache, "sealed"), Most: cacheMost}
	}
	return &source{store.Archive{Source: lines}, fmt.Sprint(s), s}, nil
}

// cacheMost is how many bytes of sealed days are kept: the indexes of a year and a half
// with 10,000 events a day.
const cacheMost = 512 << 20

// source is a store to read from.
type source struct {
	store.Archive
	name   string
	reader store.Reader
}

// readStore adds what to try to an error of reading a store.
func readStore(err error) error {
	var ambiguous *audit.AmbiguousError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ambiguous):
		return &fault.Fault{Err: err, Try: fault.Command("ccdestroy", "audit", "show", "--store", ambiguous.IDs[0]), Code: fault.ExitFailed}
	case errors.Is(err, audit.ErrNotFound):
		return &fault.Fault{Err: err, Try: "ccdestroy audit --store -n 0", Code: fault.ExitFailed}
	case errors.Is(err, audit.ErrVersion):
		return &fault.Fault{Err: err, Try: "install a newer ccdestroy", Code: fault.ExitFailed}
	}
	return &fault.Fault{Err: err, Try: "ccdestroy doctor", Code: fault.ExitFailed}
}

// warnSpoilt tells of objects that were passed over.
func (s *source) warnSpoilt(p Process, n int) {
	if n > 0 {
		p.say("WARNING: %s: skipped %d objects that do not hold what they are named after: ccdestroy audit verify --store", s.name, n)
	}
}

// typedStore is the store that a line which is being typed reads from.
func (p Process) typedStore() (url string, asked bool) {
	words := strings.Fields(p.Getenv(completeAsked))
	for i, word := range words {
		switch {
		case word == "--store" && i+1 < len(words) && strings.HasPrefix(words[i+1], "s3://"):
			return words[i+1], true
		case word == "--store":
			return p.Getenv(variable("store")), true
		}
		if rest, ok := strings.CutPrefix(word, "--store="); ok {
			return rest, true
		}
	}
	return "", false
}

// storedEvents are the newest ids in a store.
func (p Process) storedEvents(url string) []string {
	s, err := p.store(url)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionPatience)
	defer cancel()
	ids, _ := store.Archive{Source: store.NewSource(s, nil, nil)}.IDs(ctx, 100) // what there was time for
	return ids
}
