// Package logs makes audit logs of any size with realistic events, for tests
// and benchmarks. It chains the lines itself, after docs/audit-format.md, and
// so checks what the product reads against a second writer.
package logs

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// Options say what log to make. The same options make the same bytes.
type Options struct {
	Seed  uint64
	Bytes int64 // the log is at least so long, unless Events ends it
	// Events, where it is not 0, ends the log after so many lines.
	Events int
	Prunes int // operations that are a prune, spread over Bytes; the others are none

	Log  string        // its id; "" is always the same one
	From time.Time     // its operations begin after that; zero is a day in January 2024
	Pace time.Duration // of two operations the later begins at most so long after the former; 0 is an hour
}

// line is one event; the order of the keys is that of the format.
type line struct {
	V            int             `json:"v"`
	Log          string          `json:"log"`
	Seq          int             `json:"seq"`
	Prev         string          `json:"prev"`
	ID           string          `json:"id"`
	Timestamp    string          `json:"timestamp"`
	Operation    string          `json:"operation"`
	Outcome      string          `json:"outcome"`
	User         string          `json:"user"`
	Details      json.RawMessage `json:"details"`
	DataAffected []string        `json:"data_affected"`
	ExportPath   *string         `json:"export_path"`
}

// generator is the state between two events.
type generator struct {
	Options
	rnd  *rand.Rand
	out  *bufio.Writer
	size int64
	l    line
	now  time.Time
}

// Write makes a log.
func Write(w io.Writer, o Options) error {
	g := &generator{Options: o, rnd: rand.New(rand.NewPCG(o.Seed, 1)), out: bufio.NewWriterSize(w, 64<<10)}
	if g.now = o.From; o.From.IsZero() {
		g.now = time.Date(2024, 1, 8, 9, 0, 0, 0, time.UTC)
	}
	if g.Pace == 0 {
		g.Pace = time.Hour
	}
	g.l = line{V: 1, Log: cmp.Or(o.Log, "GENERATED0LOG0OF0TESTS0XYZ"), Prev: strings.Repeat("0", 64)}
	pruned := 0
	for n := 0; g.size < o.Bytes && (o.Events == 0 || n < o.Events); n += 2 {
		operation := g.pick("destroy", "destroy", "destroy", "destroy", "destroy", "export", "restore", "delete_dashboard")
		if pruned < o.Prunes && g.size >= o.Bytes/int64(o.Prunes+1)*int64(pruned+1) {
			operation = "prune"
			pruned++
		}
		if err := g.operation(operation, o.Events == 0 || n+1 < o.Events); err != nil {
			return err
		}
	}
	return g.out.Flush()
}

func (g *generator) pick(words ...string) string { return words[g.rnd.IntN(len(words))] }

// operation writes a pending event and, nearly always, an outcome.
func (g *generator) operation(name string, outcome bool) error {
	g.now = g.now.Add(time.Duration(g.rnd.IntN(int(g.Pace/time.Second))+1) * time.Second)
	var entropy [10]byte
	for i := range entropy {
		entropy[i] = byte(g.rnd.Uint32())
	}
	g.l.ID = ulid.MustNew(ulid.Timestamp(g.now), bytes.NewReader(entropy[:])).String()
	g.l.Operation = name
	g.l.User = g.pick("ana", "ben", "chris", "deploy", "gitlab-runner", "jenkins", "Åsa")
	s := g.stack()
	if err := g.event("pending", s.details(false), s.volumes); err != nil {
		return err
	}
	if !outcome || g.rnd.IntN(500) == 0 {
		return nil // cut off
	}
	g.now = g.now.Add(time.Duration(g.rnd.IntN(9000)+300) * time.Millisecond)
	how := g.pick("success", "success", "success", "success", "success", "success", "partial", "failed", "cancelled")
	gone := s.volumes
	switch how {
	case "partial":
		gone = gone[:len(gone)/2]
	case "failed", "cancelled":
		gone = []string{}
	}
	return g.event(how, s.details(true), gone)
}

func (g *generator) event(outcome, details string, affected []string) error {
	g.l.Seq++
	g.l.Outcome, g.l.Details, g.l.DataAffected = outcome, json.RawMessage(details), affected
	g.l.Timestamp = g.now.Format("2006-01-02T15:04:05.000000-07:00")
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(g.l); err != nil {
		return fmt.Errorf("generate an event: %w", err)
	}
	sum := sha256.Sum256(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	g.l.Prev = hex.EncodeToString(sum[:])
	g.size += int64(b.Len())
	_, err := g.out.Write(b.Bytes())
	return err
}
