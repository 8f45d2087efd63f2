package render

import "testing"

// An error of several lines is one line in a table, without visible escapes.
func TestOneLine(t *testing.T) {
	if got := oneLine("nothing was restored:\nvolume \"a\" has content\nvolume \"b\" has content"); got != `nothing was restored: volume "a" has content; volume "b" has content` {
		t.Error(got)
	}
}
