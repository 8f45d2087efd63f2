package store

import (
	"slices"
	"testing"
)

// Reading on in one direction reads ahead there, twice as much each time and no more
// than there is, and leaves the frames that were asked for as they are.
func TestReadAhead(t *testing.T) {
	var frames []Frame
	for range 40 {
		frames = append(frames, Frame{Lines: 1})
	}
	for _, c := range []struct{ asked, read [][]int }{
		{[][]int{{20}, {21}, {30}}, [][]int{{20}, {21, 22, 23}, {30}}},
		{[][]int{{20}, {19}, {18}, {18}}, [][]int{{20}, {17, 18, 19}, {14, 15, 16, 17, 18}, {10, 11, 12, 13, 14, 15, 16, 17, 18}}},
		{[][]int{{1, 3}, {0}}, [][]int{{1, 3}, {0}}},
		{[][]int{{37, 38}, {39}}, [][]int{{37, 38}, {39}}},
	} {
		p := newPacked("", sealDay, Index{Frames: frames}, nil)
		for i, asked := range c.asked {
			given := append(make([]int, 0, 64), asked...)
			if got := p.more(given); !slices.Equal(got, c.read[i]) || !slices.Equal(given, asked) {
				t.Errorf("%v: %v, want %v, and left %v", c.asked[:i+1], got, c.read[i], given)
			}
		}
	}
}
