package render

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Progress shows how far each of several volumes is: bars on a terminal, one
// line at the end of each elsewhere.
type Progress struct {
	w    io.Writer
	bars *mpb.Progress // nil where there is no terminal
	mu   sync.Mutex    // guards w where there are no bars
}

// NewProgress writes to w, which shows what style says.
func NewProgress(w io.Writer, style Style) *Progress {
	p := &Progress{w: w}
	if style.Width > 0 {
		p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(min(style.Width, 120)), mpb.WithRefreshRate(100*time.Millisecond), mpb.WithAutoRefresh())
	}
	return p
}

// barName is how many columns of a volume's name a bar shows.
const barName = 24

// Volume begins with one volume of so many bytes, 0 where that is not known.
func (p *Progress) Volume(name string, bytes int64) (read func(int64), end func(error)) {
	name = Terminal(name)
	if p.bars == nil {
		return func(int64) {}, func(err error) { p.line(name, bytes, err) }
	}
	if runes := []rune(name); len(runes) > barName {
		name = string(runes[:barName-1]) + "…"
	}
	bar := p.bars.AddBar(bytes,
		mpb.PrependDecorators(decor.Name(name, decor.WC{W: barName + 1, C: decor.DindentRight}), decor.CountersKiloByte("% .1f/% .1f", decor.WC{W: 18})),
		mpb.AppendDecorators(decor.AverageSpeed(decor.SizeB1000(0), "% .0f", decor.WC{W: 9}), decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 6}), "  done")),
	)
	return func(n int64) { bar.IncrInt64(n) }, func(err error) {
		if err != nil {
			bar.Abort(false)
			return
		}
		bar.SetTotal(-1, true) // what the volume turned out to hold
	}
}

func (p *Progress) line(name string, bytes int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	word := "done"
	if err != nil {
		word = "failed"
	}
	size := ""
	if bytes > 0 {
		size = ", " + human(bytes)
	}
	fmt.Fprintf(p.w, "Volume %s%s: %s\n", name, size, word)
}

// Wait returns when all is shown.
func (p *Progress) Wait() {
	if p.bars != nil {
		p.bars.Wait()
	}
}

// NoProgress shows nothing.
type NoProgress struct{}

// Volume begins with nothing.
func (NoProgress) Volume(string, int64) (func(int64), func(error)) {
	return func(int64) {}, func(error) {}
}

// Wait returns.
func (NoProgress) Wait() {}
