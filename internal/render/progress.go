package render

import (
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Progress shows how far each of several volumes is: bars on a terminal, one
// line at the end of each elsewhere. Of more volumes than the terminal has lines
// only those in progress have a bar, as far as there are lines.
type Progress struct {
	w     io.Writer
	bars  *mpb.Progress // nil where there is no terminal
	lines int           // that the terminal has
	total *mpb.Bar      // of all volumes; nil for one
	// slots has room for the bars that the screen has lines for; nil where all
	// volumes have.
	slots chan struct{}
	mu    sync.Mutex // guards w where there are no bars
}

// NewProgress writes to w, which shows what style says.
func NewProgress(w io.Writer, style Style) *Progress {
	p := &Progress{w: w, lines: style.Height}
	if style.Width > 0 {
		p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(min(style.Width, 120)), mpb.WithRefreshRate(100*time.Millisecond), mpb.WithAutoRefresh())
	}
	return p
}

// barName is how many columns of a volume's name a bar shows.
const barName = 20

// Begin announces so many volumes, with so many bytes in all.
func (p *Progress) Begin(volumes int, bytes int64) {
	if p.bars == nil || volumes < 2 || bytes == 0 {
		return
	}
	if p.lines > 0 && volumes+1 > p.lines {
		p.slots = make(chan struct{}, max(1, p.lines-2)) // the total has a line, and the cursor
	}
	p.total = p.bars.AddBar(bytes, mpb.BarPriority(math.MaxInt), mpb.PrependDecorators(name(fmt.Sprintf("%d volumes", volumes)), amount()), mpb.AppendDecorators(speed(time.Now()), left()))
}

func name(text string) decor.Decorator {
	return decor.Name(text, decor.WC{W: barName + 1, C: decor.DindentRight})
}

// amount, speed and left are how much, how fast, and how much longer, in the
// units of all other screens.
func amount() decor.Decorator {
	return decor.Any(func(s decor.Statistics) string {
		if s.Total <= 0 || s.Current > s.Total {
			return human(s.Current) // how large it is was not known
		}
		return human(s.Current) + " of " + human(s.Total)
	}, decor.WC{W: 19})
}

func speed(began time.Time) decor.Decorator {
	return decor.Any(func(s decor.Statistics) string {
		return human(int64(float64(s.Current)/max(time.Since(began), time.Millisecond).Seconds())) + "/s"
	}, decor.WC{W: 9})
}

func left() decor.Decorator { return decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 7}) }

// The phases of a volume.
const (
	reading   = "reading"
	verifying = "verifying"
	finished  = "done"
	stopped   = "stopped"
)

// VolumeBar is the progress of one volume.
type VolumeBar struct {
	p     *Progress
	name  string
	bytes int64
	bar   *mpb.Bar
	phase atomic.Value // string
}

// Volume begins with one volume of so many bytes, 0 where that is not known.
func (p *Progress) Volume(volume string, bytes int64) *VolumeBar {
	b := &VolumeBar{p: p, name: Terminal(volume), bytes: bytes}
	b.phase.Store(reading)
	if p.bars == nil || !p.slot() {
		return b
	}
	short := b.name
	if runes := []rune(short); len(runes) > barName {
		short = string(runes[:barName-1]) + "…"
	}
	options := []mpb.BarOption{
		mpb.PrependDecorators(name(short), amount()),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return b.phase.Load().(string) }, decor.WC{W: 10})),
	}
	if p.slots != nil {
		options = append(options, mpb.BarRemoveOnComplete())
	}
	b.bar = p.bars.AddBar(0, options...) // it is over at its End, not when all is read
	b.bar.SetTotal(bytes, false)
	return b
}

// slot takes a line of the screen, where one is free.
func (p *Progress) slot() bool {
	if p.slots == nil {
		return true
	}
	select {
	case p.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// Read reports that a piece was read.
func (b *VolumeBar) Read(n int64) {
	if b.bar != nil {
		b.bar.IncrInt64(n)
	}
	if b.p.total != nil {
		b.p.total.IncrInt64(n)
	}
}

// Verify says that everything was read, and is now compared.
func (b *VolumeBar) Verify() { b.phase.Store(verifying) }

// End is the end of it. A volume that was stopped keeps the bar it had.
func (b *VolumeBar) End(err error) {
	b.phase.Store(map[bool]string{true: finished, false: stopped}[err == nil])
	switch {
	case b.p.bars == nil:
		b.p.line(b.name, b.bytes, err)
	case b.bar == nil: // the total speaks for it
	case err != nil:
		b.bar.Abort(false)
	default:
		b.bar.SetTotal(-1, true) // what the volume turned out to hold
		b.leave()
	}
}

// leave gives the line to the next volume, once the screen no longer has the bar.
func (b *VolumeBar) leave() {
	if b.p.slots != nil {
		go func() {
			b.bar.Wait()
			<-b.p.slots
		}()
	}
}

func (p *Progress) line(name string, bytes int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	word := finished
	if err != nil {
		word = "failed"
	}
	size := ""
	if bytes > 0 {
		size = ", " + human(bytes)
	}
	fmt.Fprintf(p.w, "Volume %s%s: %s\n", name, size, word)
}

// Wait returns when everything is shown.
func (p *Progress) Wait() {
	if p.total != nil {
		p.total.Abort(false) // if something was stopped it is not complete
	}
	if p.bars != nil {
		p.bars.Wait()
	}
}
