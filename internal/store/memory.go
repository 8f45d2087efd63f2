package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
)

// Memory keeps the newest seal of each store that was seen here, in a directory: a
// store that later has fewer of them, or another one in its place, was changed by
// somebody. "" keeps nothing.
type Memory string

// remembered is what its file holds.
type remembered struct {
	Store string `json:"store"`
	Seal  int64  `json:"seal"`
	Sum   string `json:"sha256"` // of the seal's object
}

func (m Memory) file(store any) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(store)))
	return filepath.Join(string(m), hex.EncodeToString(sum[:12])+".json")
}

// check compares what was seen with what is there.
func (m Memory) check(store any, seals []*Seal) ([]audit.Finding, error) {
	if m == "" {
		return nil, nil
	}
	f, err := durable.OpenOurs(m.file(store))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var was remembered
	if err := json.NewDecoder(io.LimitReader(f, 4096)).Decode(&was); err != nil || was.Store != fmt.Sprint(store) {
		return nil, nil // lost: it is made anew
	}
	for _, s := range seals {
		if s.Seal == was.Seal && s.Sum != was.Sum {
			return []audit.Finding{problem(SealChanged, sealKey(was.Seal), "another one was seen here before")}, nil
		}
	}
	if len(seals) == 0 || seals[len(seals)-1].Seal < was.Seal {
		return []audit.Finding{problem(SealRemoved, sealKey(was.Seal), "it was seen here before, and the store does not have it any more")}, nil
	}
	return nil, nil
}

// note keeps the newest seal.
func (m Memory) note(store any, last *Seal) error {
	if m == "" || last == nil {
		return nil
	}
	data, err := json.Marshal(remembered{fmt.Sprint(store), last.Seal, last.Sum})
	if err != nil {
		panic(err) // texts and a number
	}
	if err := durable.MkdirAll(string(m), 0o700); err != nil {
		return err
	}
	return durable.ReplaceFile(m.file(store), append(data, '\n'), 0o600)
}
