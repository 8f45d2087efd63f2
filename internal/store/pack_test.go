package store

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/contextcore/ccdestroy/internal/audit"
	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// Plain zstd takes a pack as one stream.
func TestPackIsPlainZstd(t *testing.T) {
	var lines []sealed
	var want bytes.Buffer
	for i := range 3*frameLines + 1 {
		line := fmt.Appendf(nil, `{"project":"shop%d","reason":"a \"quoted\" \\","x":"w\u006frd"}`, i)
		lines = append(lines, sealed{Key{Time: sealDay.Add(time.Duration(i) * time.Second)}, line})
		want.Write(append(line, '\n'))
	}
	pack, x, err := encodePack(lines)
	if err != nil {
		t.Fatal(err)
	}
	d, err := zstd.NewReader(bytes.NewReader(pack))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got, err := io.ReadAll(d); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%v: other lines", err)
	}
	offset := int64(0)
	for i, f := range x.Frames {
		frame := pack[offset : offset+f.Size]
		offset += f.Size
		found := false
		if err := decodePack(bytes.NewReader(frame), func(line []byte) error {
			found = found || bytes.Contains(line, []byte(`"shop70"`))
			return nil
		}); err != nil || found != (i == 1) || f.May([]string{"shop70"}) != found || f.Sum != audit.Sum(frame) {
			t.Errorf("%v: frame %d has it: %v", err, i, found)
		}
	}
	for words, frames := range map[string]int{"": 4, "word": 4, "quoted": 0, "a b": 4, strings.Repeat("x", 41): 4} {
		n := 0
		var of []string
		if words != "" {
			of = []string{words}
		}
		for _, f := range x.Frames {
			n += b2i(f.May(of))
		}
		if n != frames {
			t.Errorf("%q may be in %d frames, not %d", words, n, frames)
		}
	}
	need.Command(t, "zstd")
	cmd := exec.Command("zstd", "-dc")
	cmd.Stdin = bytes.NewReader(pack)
	if got, err := cmd.Output(); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("zstd: %v, or other lines", err)
	}
}
