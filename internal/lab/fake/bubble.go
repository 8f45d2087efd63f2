package fake

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// Bubble runs a case in a time of its own, which passes when nobody has anything
// else to do, and tells what was wrong with it.
func Bubble(t *testing.T, name string, run func(testing.TB)) {
	t.Helper()
	var errs []string
	synctest.Test(t, func(t *testing.T) { run(collected{t, &errs}) })
	for _, err := range errs {
		t.Errorf("%s: %s", name, err)
	}
}

// collected keeps the errors of a case for later: a bubble of synctest that fails
// ends the whole test.
type collected struct {
	testing.TB
	errs *[]string
}

func (c collected) Errorf(format string, args ...any) {
	*c.errs = append(*c.errs, fmt.Sprintf(format, args...))
}
