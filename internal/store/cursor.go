package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
)

// cursor says how far the log at one path is at one sink. It is a file per path and
// sink in the state directory, to which each step adds a line that is not synced: a
// power cut sets it back, and what it has lost is sent again and found to be there.
type cursor struct {
	file string // "" is none
	Path string `json:"path"` // of the log
	Sink string `json:"sink"`
	audit.Mark
}

func (s *Shipper) cursor() *cursor {
	if s.State == "" {
		return &cursor{}
	}
	path, err := filepath.Abs(s.Log.Path)
	if err != nil {
		return &cursor{}
	}
	sum := sha256.Sum256([]byte(path + "\x00" + s.Sink.Name()))
	return &cursor{file: filepath.Join(s.State, hex.EncodeToString(sum[:12])+".json"), Path: path, Sink: s.Sink.Name()}
}

// lock keeps other processes from moving it. It is free again when this one dies.
// Where there is no cursor, or none can be made, nobody is kept out.
func (c *cursor) lock(ctx context.Context) (unlock func(), err error) {
	if c.file == "" || durable.MkdirAll(filepath.Dir(c.file), 0o700) != nil {
		return func() {}, nil
	}
	l, err := durable.Lock(ctx, c.file+".lock", shipPatience)
	switch {
	case errors.Is(err, durable.ErrLocked) || ctx.Err() != nil:
		return nil, err
	case err != nil:
		return func() {}, nil
	}
	return func() { _ = l.Unlock() }, nil
}

// shipPatience is how long to wait for another process that ships the same.
const shipPatience = time.Minute

// get is the place behind the last line that was sent; the zero Mark is the
// beginning. What cannot be read counts as lost.
func (c *cursor) get() audit.Mark {
	if c.file == "" {
		return audit.Mark{}
	}
	f, err := durable.OpenOurs(c.file)
	if err != nil {
		return audit.Mark{}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 2*cursorLimit))
	if err != nil {
		return audit.Mark{}
	}
	for line := range bytes.Lines(data) {
		was := cursor{}
		if json.Unmarshal(line, &was) == nil && was.Path == c.Path && was.Sink == c.Sink {
			c.Mark = was.Mark
		}
	}
	return c.Mark
}

// cursorLimit is how long the file may grow before it is written anew.
const cursorLimit = 64 << 10

// set moves it. A cursor that cannot be written costs time only.
func (c *cursor) set(m audit.Mark) {
	c.Mark = m
	if c.file == "" || durable.MkdirAll(filepath.Dir(c.file), 0o700) != nil {
		return
	}
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // texts and numbers
	}
	data = append(data, '\n')
	f, _, err := durable.OpenAppend(c.file, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > cursorLimit {
		_ = durable.ReplaceFile(c.file, data, 0o600)
		return
	}
	_, _ = f.Write(data)
}
