package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/render"
	"github.com/contextcore/ccdestroy/internal/store"
)

type storeCmd struct {
	Key  storeKeyCmd  `cmd:"" signals:"end" settings:"reads" help:"Make a key pair that seals a store: write the private key to a file and print the public one."`
	Seal storeSealCmd `cmd:"" signals:"end" settings:"reads" help:"Pack the finished days of a store and sign them (a scheduled job)."`
}

type storeKeyCmd struct {
	Name   string `arg:"" help:"Name of the key, such as audit.example.com."`
	Output string `short:"o" fixed:"" required:"" placeholder:"FILE" help:"File for the private key. It must not exist."`
}

// Run makes the pair. The public key goes to standard output.
func (c storeKeyCmd) Run(p Process) error {
	private, public, err := store.NewSigningKey(c.Name)
	if err != nil {
		return fault.Usage("ccdestroy store key audit.example.com -o seal.key", "%w", err)
	}
	path := p.abs(c.Output)
	f, err := durable.Create(path, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fault.Usage("another file", "%q already exists", path)
	}
	if err != nil {
		return &fault.Fault{Err: err, Try: "another file", Code: fault.ExitFailed}
	}
	_, err = fmt.Fprintln(f, private)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return &fault.Fault{Err: fmt.Errorf("write %q: %w", path, err), Try: "remove it, and another file", Code: fault.ExitFailed}
	}
	_, err = fmt.Fprintln(p.Stdout, public)
	return err
}

// keyFlag names the keys that seals are checked with.
type keyFlag struct {
	StoreKey []string `sep:"none" placeholder:"KEY" help:"Public key that the seals of the store must be signed with, as ccdestroy store key prints it. Repeatable, for former keys of the same name."`
}

func (f keyFlag) keys() (store.Keys, error) {
	keys, err := store.ParseKeys(f.StoreKey)
	if err != nil {
		return nil, fault.Usage("give the line that ccdestroy store key printed", "--store-key: %w", err)
	}
	return keys, nil
}

type storeSealCmd struct {
	Store      string `placeholder:"URL" help:"The store: s3://BUCKET/PREFIX."`
	SigningKey string `fixed:"" required:"" placeholder:"FILE" help:"File with the private key, as ccdestroy store key wrote it."`
	Days       int    `fixed:"" default:"40" placeholder:"N" help:"How many days back to look for events that came late; 0 means all (${default})."`
	keyFlag
}

// Run seals. It exits 7 when something in the store is not what it should be.
func (c storeSealCmd) Run(ctx context.Context, p Process, code *int) error {
	if c.Store == "" {
		return fault.Usage("ccdestroy store seal --store s3://BUCKET/PREFIX; docs/seal.md", "no store is set")
	}
	if c.Days < 0 {
		return fault.Usage("--days 0 for all", "--days must not be negative")
	}
	to, err := p.store(c.Store)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(p.abs(c.SigningKey))
	if err != nil {
		return fault.Usage("ccdestroy store key NAME -o FILE makes one", "--signing-key: %w", err)
	}
	key, err := store.ParseSigningKey(string(data))
	if err != nil {
		return fault.Usage("ccdestroy store key NAME -o FILE makes one", "--signing-key %q: %w", c.SigningKey, err)
	}
	old, err := c.keys()
	if err != nil {
		return err
	}
	sealer := store.Sealer{Bucket: to, Key: key, Old: old, Now: p.Now(), Days: c.Days, Memory: p.seen()}
	done, err := sealer.Seal(ctx)
	for _, w := range done.Wrong {
		p.say("ccdestroy: %s: %s: %s", render.Terminal(w.File), w.Class, w.Text)
		*code = fault.ExitNotIntact
	}
	if done.Packs > 0 || err == nil {
		p.say("Sealed %d events in %d packs; the newest seal is number %d", done.Lines, done.Packs, done.Seal)
	}
	return brokenSeal(err)
}

// seen is where it is kept which seal of a store was the newest that was seen here.
func (p Process) seen() store.Memory {
	if state := p.xdg("XDG_STATE_HOME", filepath.Join(".local", "state")); state != "" {
		return store.Memory(filepath.Join(state, "seals"))
	}
	return ""
}

// brokenSeal tells damage from what went wrong.
func brokenSeal(err error) error {
	var broken *store.BrokenError
	if errors.As(err, &broken) {
		return &fault.Fault{Err: err, Try: "ccdestroy audit verify --store", Code: fault.ExitNotIntact}
	}
	return readStore(err)
}

type proveCmd struct {
	ID     string `arg:"" completion-predictor:"event" help:"Id of the operation, or a unique prefix, which takes longer."`
	Output string `short:"o" fixed:"" required:"" placeholder:"FILE" help:"File for the proof; - is standard output."`
	sourceFlag
}

// Run writes the proof of one operation.
func (c proveCmd) Run(ctx context.Context, p Process) error {
	if c.Store.url == "" {
		c.Store.url = configured
	}
	s, err := p.source(c.sourceFlag)
	if err != nil {
		return err
	}
	if s == nil {
		return fault.Usage("--store s3://BUCKET/PREFIX", "a proof is made from a store")
	}
	keys, err := c.keys()
	if err != nil {
		return err
	}
	proof, err := store.Prove(ctx, s.reader, keys, c.ID)
	if err != nil {
		return brokenSeal(err)
	}
	data, err := proof.Bytes()
	if err != nil {
		return err
	}
	return outputFlags{Output: c.Output, NoPager: true}.write(ctx, p, &audit.Log{}, func(w io.Writer, _ render.Style) error {
		_, err := w.Write(data)
		return err
	})
}

// seals checks the sealed part of a store, and adds what it finds to the verdict.
func (c verifyCmd) seals(ctx context.Context, p Process, s *source, verdict *audit.Report) error {
	keys, err := c.keys()
	if err != nil {
		return err
	}
	r, err := store.VerifySeals(ctx, s.reader, keys, p.seen())
	if err != nil {
		return err
	}
	verdict.Findings = append(verdict.Findings, r.Findings...)
	switch {
	case r.Seals == 0:
	case r.Signed:
		p.say("Sealed: %d events, by %d seals of %s", r.Lines, r.Seals, render.Terminal(r.Origin))
	default:
		p.say("Sealed: %d events, by %d seals whose signatures were not checked: no --store-key", r.Lines, r.Seals)
	}
	return nil
}

// proofLimit is how long a proof may be: some events of 16 MiB.
const proofLimit = 256 << 20

// proof checks a proof, without a log and without network.
func (c verifyCmd) proof(p Process) error {
	keys, err := c.keys()
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return fault.Usage("--store-key KEY, as ccdestroy store key printed it", "--proof needs the public key of the store")
	}
	f, err := os.Open(p.abs(c.Proof))
	if err != nil {
		return fault.Usage("name the file that ccdestroy audit prove wrote", "--proof: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, proofLimit))
	if err != nil {
		return err
	}
	proven, err := store.CheckProof(data, keys)
	if err != nil {
		return &fault.Fault{Err: fmt.Errorf("%q proves nothing: %w", c.Proof, err), Try: "ccdestroy audit prove ID -o FILE, and check the key", Code: fault.ExitNotIntact}
	}
	for _, e := range proven {
		if _, err := fmt.Fprintln(p.Stdout, render.Terminal(fmt.Sprintf("proven: %s %s %s %s by %s (log %s, number %d; seal %d of %s, place %d)",
			e.Timestamp.Format("2006-01-02T15:04:05Z07:00"), e.ID, e.Operation, e.Outcome, e.User, e.Log, e.Seq, e.Seal, keys[0].Name(), e.Index))); err != nil {
			return err
		}
	}
	return nil
}
