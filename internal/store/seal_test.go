package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// sealDay is the day that the events of these tests are of.
var sealDay = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// history writes n operations of two events each to a log, one every few seconds of
// the day, and ships it.
func history(t testing.TB, to Putter, day time.Time, n int) []audit.Event {
	t.Helper()
	l := &audit.Log{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	var events []audit.Event
	for i := range n {
		e := audit.Event{
			ID: fmt.Sprintf("01KB%018d%04d", day.Unix(), i), Timestamp: day.Add(time.Duration(i) * 15 * time.Second), Operation: "destroy", Outcome: audit.Pending,
			User: "ana", Details: fmt.Appendf(nil, `{"project":"shop%d"}`, i%7), DataAffected: []string{"pgdata"},
		}
		if _, err := l.Begin(t.Context(), e, 0); err != nil {
			t.Fatal(err)
		}
		e.Timestamp, e.Outcome = e.Timestamp.Add(time.Second), audit.Success
		if _, err := l.Append(t.Context(), e, 0); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	if _, err := (&Shipper{Log: l, Sink: Objects{to}}).Ship(t.Context()); err != nil {
		t.Fatal(err)
	}
	return events
}

func signer(t testing.TB, name string) (Signer, Keys) {
	t.Helper()
	private, public, err := NewSigningKey(name)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseSigningKey(private + "\n")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseKeys([]string{public})
	if err != nil {
		t.Fatal(err)
	}
	return key, keys
}

func sealer(b Bucket, key Signer) *Sealer {
	return &Sealer{Bucket: b, Key: key, Now: sealDay.AddDate(0, 0, 2)}
}

func mustSeal(t *testing.T, s *Sealer, packs, lines int) {
	t.Helper()
	done, err := s.Seal(t.Context())
	if err != nil || done.Packs != packs || done.Lines != lines || len(done.Wrong) > 0 {
		t.Fatalf("%+v, %v; want %d packs of %d lines", done, err, packs, lines)
	}
}

// classes are those of all findings, sorted, problems with a !.
func classes(r SealReport) (all []string) {
	for _, f := range r.Findings {
		class := string(f.Class)
		if f.Problem {
			class += "!"
		}
		all = append(all, class)
	}
	slices.Sort(all)
	return all
}

func verified(t *testing.T, from Reader, keys Keys, memory Memory, want ...string) SealReport {
	t.Helper()
	r, err := VerifySeals(t.Context(), from, keys, memory)
	if err != nil {
		t.Fatal(err)
	}
	if got := classes(r); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q: %+v", got, want, r.Findings)
	}
	return r
}

func TestSeal(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	b := open(t, server, server.Root, server.Bucket("audit", false)+"/team")
	key, keys := signer(t, "audit.example.com")
	s := sealer(b, key)
	mustSeal(t, s, 0, 0)
	history(t, b, sealDay, 100)
	history(t, b, sealDay.AddDate(0, 0, 2), 1) // a day that is not over
	mustSeal(t, s, 1, 200)
	mustSeal(t, s, 0, 0)
	r := verified(t, b, keys, "")
	if r.Seals != 1 || r.Lines != 200 || !r.Signed || r.Origin != "audit.example.com" {
		t.Errorf("%+v", r)
	}
	// What comes late goes into the next pack of its day.
	late := history(t, b, sealDay, 3)
	verified(t, b, keys, "", "not sealed yet")
	mustSeal(t, s, 1, 6)
	if r := verified(t, b, keys, ""); r.Seals != 2 || r.Lines != 206 {
		t.Errorf("%+v", r)
	}
	// A search reads the frames that may have what is asked for.
	data, err := readAll(t.Context(), b, indexKey(packKey(sealDay, 1)), packLimit)
	if err != nil {
		t.Fatal(err)
	}
	x, err := parseIndex(data)
	if err != nil || len(x.Frames) != 4 || x.Lines != 200 {
		t.Fatalf("%v: %+v", err, x)
	}
	// The proof of one operation.
	p, err := Prove(t.Context(), b, keys, late[1].ID)
	if err != nil || len(p.Events) != 4 { // the first history has these ids as well
		t.Fatalf("%v: %+v", err, p)
	}
	file, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	proven, err := CheckProof(file, keys)
	if err != nil || len(proven) != 4 || proven[3].Outcome != audit.Success || proven[3].Seal != 2 || proven[0].Index != 2 {
		t.Errorf("%v: %+v", err, proven)
	}
	_, others := signer(t, "audit.example.com")
	for what, wrong := range map[string][]byte{
		"line":  bytes.Replace(file, []byte(`\"user\":\"ana\"`), []byte(`\"user\":\"bob\"`), 1),
		"place": bytes.Replace(file, []byte(`\nindex 2\n`), []byte(`\nindex 3\n`), 1),
		"size":  bytes.Replace(file, []byte(`\n200\n`), []byte(`\n201\n`), 1),
		"form":  file[:len(file)/2],
	} {
		if bytes.Equal(wrong, file) {
			t.Fatalf("%s: nothing was changed", what)
		}
		if _, err := CheckProof(wrong, keys); err == nil {
			t.Errorf("a proof with another %s is taken", what)
		}
	}
	if _, err := CheckProof(file, others); !errors.Is(err, errUnsigned) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := Prove(t.Context(), b, keys, "NONE"); !errors.Is(err, audit.ErrNotFound) {
		t.Errorf("prove nothing: %v", err)
	}
	// Another key of the same name goes on, if the old one is known.
	second, both := signer(t, "audit.example.com")
	history(t, b, sealDay.AddDate(0, 0, -1), 1)
	other := sealer(b, second)
	if _, err := other.Seal(t.Context()); !errors.As(err, new(*BrokenError)) {
		t.Errorf("sealed behind another key: %v", err)
	}
	other.Old = keys
	mustSeal(t, other, 1, 2)
	verified(t, b, append(both, keys...), "")
	verified(t, b, both, "", "seal changed!", "seal changed!")
	verified(t, b, nil, "")
}

// stops is a bucket on which the n-th write fails, before or after it took effect.
type stops struct {
	Bucket
	n     int
	after bool
}

var errStopped = errors.New("stopped here")

func (s *stops) Put(ctx context.Context, key string, data []byte) error {
	if s.n--; s.n > 0 {
		return s.Bucket.Put(ctx, key, data)
	}
	if s.after {
		if err := s.Bucket.Put(ctx, key, data); err != nil {
			return err
		}
	}
	return errStopped
}

// A seal that is cut off at any step is gone on with, also when an event came late
// meanwhile.
func TestSealIsCutOff(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	key, keys := signer(t, "audit.example.com")
	for step := 1; step <= 3; step++ {
		for _, after := range []bool{false, true} {
			name := fmt.Sprintf("step-%d-%v", step, after)
			t.Run(name, func(t *testing.T) {
				b := open(t, server, server.Root, server.Bucket(name, false))
				history(t, b, sealDay, 20)
				if _, err := sealer(&stops{b, step, after}, key).Seal(t.Context()); !errors.Is(err, errStopped) {
					t.Fatal(err)
				}
				if r, err := VerifySeals(t.Context(), b, keys, ""); err != nil || !r.Intact() {
					t.Errorf("%v: %+v", err, r)
				}
				history(t, b, sealDay, 1)
				if _, err := sealer(b, key).Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
				r := verified(t, b, keys, "")
				// One pack where none was left behind, else two.
				if want := 2 - b2i(step == 1 && !after); r.Lines != 42 || int(r.Seals) != want {
					t.Errorf("%+v, want %d seals", r, want)
				}
			})
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Of several that seal at once each line is in one pack.
func TestSealAtOnce(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	b := open(t, server, server.Root, server.Bucket("audit", false))
	key, keys := signer(t, "audit.example.com")
	for i := range 3 {
		history(t, b, sealDay.AddDate(0, 0, -i), 30)
	}
	var work sync.WaitGroup
	var lock sync.Mutex
	lines := 0
	for range 4 {
		work.Go(func() {
			done, err := sealer(b, key).Seal(context.Background())
			if err != nil {
				t.Error(err)
			}
			lock.Lock()
			defer lock.Unlock()
			lines += done.Lines
		})
	}
	work.Wait()
	if r := verified(t, b, keys, ""); r.Seals != 3 || r.Lines != 180 || lines != 180 {
		t.Errorf("%d lines by these calls: %+v", lines, r)
	}
}

// An event that was changed before its day was packed is told, and not sealed.
func TestSealRefusesWhatIsWrong(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	b := open(t, server, server.Root, server.Bucket("audit", false))
	key, keys := signer(t, "audit.example.com")
	history(t, b, sealDay, 5)
	dir := filepath.Join(server.Dir, "data", "audit")
	edit(t, anEvent(t, dir), "ana", "bob")
	done, err := sealer(b, key).Seal(t.Context())
	if err != nil || done.Lines != 9 || len(done.Wrong) != 1 || done.Wrong[0].Class != ObjectChanged {
		t.Errorf("%v: %+v", err, done)
	}
	verified(t, b, keys, "", "not sealed yet")
	if r, err := (Archive{NewSource(b, keys, nil)}).Verify(t.Context(), "", nil); err != nil || len(r.Findings) != 1 || r.Findings[0].Class != audit.Changed {
		t.Errorf("%v: %+v", err, r.Findings)
	}
}

func TestSigningKeys(t *testing.T) {
	for _, name := range []string{"", "a b", "a+b"} {
		if _, _, err := NewSigningKey(name); err == nil {
			t.Errorf("%q is taken as a name", name)
		}
	}
	for range 20 { // with and without + in the base64
		signer(t, "x")
	}
	for _, text := range []string{"", "PRIVATE+KEY+x+0+", "x+1+y"} {
		if _, err := ParseSigningKey(text); err == nil {
			t.Errorf("%q is taken as a private key", text)
		}
		if _, err := ParseKeys([]string{text}); err == nil {
			t.Errorf("%q is taken as a public key", text)
		}
	}
}

// BenchmarkSealDay seals a day of 5,000 operations: 10,000 events.
func BenchmarkSealDay(b *testing.B) {
	server := s3lab.Start(b, s3lab.Options{})
	key, _ := signer(b, "audit.example.com")
	for i := range b.N {
		server.Bucket(fmt.Sprintf("audit-%d", i), false)
		s3, err := OpenS3(fmt.Sprintf("s3://audit-%d", i), server.Getenv(server.Root))
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		history(b, s3, sealDay, 5000)
		b.StartTimer()
		if done, err := sealer(s3, key).Seal(b.Context()); err != nil || done.Lines != 10000 {
			b.Fatal(err, done)
		}
	}
}
