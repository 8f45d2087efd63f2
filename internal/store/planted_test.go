package store

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

// readAllOf counts the operations that a reader with these keys finds.
func readAllOf(t *testing.T, from Reader, keys Keys) (n int) {
	t.Helper()
	if err := (Archive{NewSource(from, keys, nil)}).History(t.Context(), Query{}, func(audit.Record, []byte) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func mustPut(t *testing.T, b Putter, key string, data []byte) {
	t.Helper()
	if err := b.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

// A planted seal is told of, whatever it is, and keeps nobody from reading.
func TestPlantedSeal(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	key, keys := signer(t, "audit.example.com")
	other, _ := signer(t, "audit.example.com")
	huge := &Seal{Origin: "audit.example.com", Size: math.MaxInt64, About: About{
		V: 1, Seal: 2, Prev: strings.Repeat("0", 64), Pack: packKey(sealDay, 1), Lines: 1, PackSum: strings.Repeat("0", 64), Index: strings.Repeat("0", 64), Edge: []string{tlog.Hash{}.String()},
	}}
	hugeSeal, err := huge.sign(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"long": bytes.Repeat([]byte("x\n"), maxSeal), "empty": nil, "huge": hugeSeal, "deep": []byte("x\n1\n" + tlog.Hash{}.String() + "\n" + strings.Repeat("[", 1<<15) + "\n\n— x AAAAAAAA\n"),
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, server, server.Root, server.Bucket(name, false))
			history(t, b, sealDay, 3)
			mustSeal(t, sealer(b, key), 1, 6)
			mustPut(t, b, sealKey(2), data)
			mustPut(t, b, sealKey(3), data) // which looks at the one before
			for _, by := range []Keys{keys, nil} {
				if n := readAllOf(t, b, by); n != 3 {
					t.Errorf("%d operations", n)
				}
				if r, err := VerifySeals(t.Context(), b, by, ""); err != nil || r.Intact() {
					t.Errorf("%v: %+v", err, r)
				}
			}
			if _, err := sealer(b, key).Seal(t.Context()); err == nil {
				t.Error("sealed behind it")
			}
		})
	}
}

// A planted pack or index is told of, and sealing goes on beside it.
func TestPlantedPack(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	key, keys := signer(t, "audit.example.com")
	for name, to := range map[string]string{"long": packKey(sealDay, 1), "bomb": packKey(sealDay, 1), "index": indexKey(packKey(sealDay, 1)), "long-index": indexKey(packKey(sealDay, 1))} {
		t.Run(name, func(t *testing.T) {
			b := open(t, server, server.Root, server.Bucket(name, false))
			history(t, b, sealDay, 3)
			data := []byte("{}")
			switch name {
			case "long", "long-index":
				data = make([]byte, packLimit+1)
			case "bomb":
				data = bomb(t)
			}
			mustPut(t, b, to, data)
			done, err := sealer(b, key).Seal(t.Context())
			if err != nil || done.Lines != 6 {
				t.Fatalf("%+v, %v", done, err)
			}
			if n := readAllOf(t, b, keys); n != 3 {
				t.Errorf("%d operations", n)
			}
			r, err := VerifySeals(t.Context(), b, keys, "")
			if err != nil || len(r.Findings) != 1 || r.Findings[0].File != to || !r.Findings[0].Problem || r.Lines != 6 {
				t.Errorf("%v: %+v", err, r)
			}
			mustSeal(t, sealer(b, key), 0, 0)
		})
	}
}

// bomb is a pack of some kilobytes that holds lines of the day, of 256 MiB.
func bomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	user := bytes.Repeat([]byte("u"), 1<<20)
	for i := range 256 {
		line := planted("x", int64(i+1), "01", sealDay, audit.Success, "USER")
		if _, err := w.Write(append(bytes.Replace(line, []byte("USER"), user, 1), '\n')); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A pack takes no more memory than one of ours, whatever it decompresses to.
func TestPackBomb(t *testing.T) {
	lines, err := decodeSealed(bomb(t), sealDay)
	n := 0
	for _, l := range lines {
		n += len(l.Line)
	}
	if !errors.Is(err, errPack) || n > packLimit {
		t.Errorf("%d bytes: %v", n, err)
	}
}

// An index that no key has signed can say what it likes.
func TestLyingIndex(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	key, _ := signer(t, "audit.example.com")
	for name, lie := range map[string]func(x *Index){
		"far": func(x *Index) { x.Frames[0].Size = math.MaxInt64 - 1 },
		"behind": func(x *Index) {
			x.Frames[0].Size, x.Frames[1].Size = math.MaxInt64, math.MaxInt64
		},
		"lines": func(x *Index) {
			x.Frames[0].Lines, x.Frames[1].Lines = math.MaxInt, math.MaxInt
			x.Frames = append(x.Frames, Frame{Size: 1, Lines: x.Lines + 2})
		},
		"more": func(x *Index) { x.Frames[0].Lines, x.Frames[1].Lines = x.Frames[0].Lines+1, x.Frames[1].Lines-1 },
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, server, server.Root, server.Bucket(name, false))
			history(t, b, sealDay, 100)
			_, err := sealer(lying{b, key, lie, t}, key).Seal(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n := readAllOf(t, b, nil); n != 100 {
				t.Errorf("%d operations", n)
			}
			if r, err := VerifySeals(t.Context(), b, nil, ""); err != nil || r.Intact() {
				t.Errorf("%v: %+v", err, r)
			}
		})
	}
}

// lying puts another index, and a seal that names it.
type lying struct {
	Bucket
	key Signer
	lie func(x *Index)
	t   *testing.T
}

func (l lying) Put(ctx context.Context, key string, data []byte) error {
	switch {
	case strings.HasSuffix(key, ".index.json"):
		x, err := parseIndex(data)
		if err != nil {
			l.t.Fatal(err)
		}
		l.lie(&x)
		data = x.bytes()
	case strings.HasPrefix(key, sealsDir):
		s, err := openSeal(data, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		index, err := readAll(ctx, l.Bucket, indexKey(s.Pack), packLimit)
		if err != nil {
			l.t.Fatal(err)
		}
		s.Index = audit.Sum(index)
		if data, err = s.sign(l.key); err != nil {
			l.t.Fatal(err)
		}
	}
	return l.Bucket.Put(ctx, key, data)
}
