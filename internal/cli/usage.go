package cli

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/contextcore/ccdestroy/internal/inventory"
)

// The parser's own errors speak of its types and tokens. These say the same about
// what was typed.
var (
	noValueForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^--([a-z-]+): (?:expected [a-z ]+ but got "EOL"|missing value, expecting)`)
	})
	flagAsValueForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^--([a-z-]+): expected \w+ value but got "(.*)" \((?:short|long)? ?flag\)`)
	})
	enumForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(\S+) must be one of ((?:"[^"]*",?)+) but got (".*")$`)
	})
)

// inWords is the parser's error about a command, in the words of the user.
func inWords(node *kong.Node, err error) error {
	text := err.Error()
	if node != nil {
		text = strings.TrimPrefix(text, node.Path()+": ")
	}
	if missing, found := strings.CutPrefix(text, "expected one of "); found {
		return fmt.Errorf("a command is missing: one of %s", strings.ReplaceAll(missing, `"`, ""))
	}
	if missing, found := strings.CutPrefix(text, `expected "`); found {
		return fmt.Errorf("%s is missing", strings.TrimSuffix(missing, `"`))
	}
	if missing, found := strings.CutPrefix(text, "missing flags: "); found {
		return fmt.Errorf("%s is missing", missing)
	}
	if m := noValueForm().FindStringSubmatch(text); m != nil {
		return fmt.Errorf("--%s needs a value: --%s=%s", m[1], m[1], placeholder(node, m[1]))
	}
	if m := flagAsValueForm().FindStringSubmatch(text); m != nil {
		return fmt.Errorf("--%s needs a value, and %q looks like a flag", m[1], m[2])
	}
	if m := enumForm().FindStringSubmatch(text); m != nil {
		words := strings.ReplaceAll(strings.TrimPrefix(m[2], `"",`), `"`, "")
		return fmt.Errorf("%s must be one of %s, not %s", m[1], strings.ReplaceAll(words, ",", ", "), m[3])
	}
	if text == err.Error() {
		return err
	}
	return fmt.Errorf("%s", text)
}

// placeholder is what the help shows as the value of a flag.
func placeholder(node *kong.Node, name string) string {
	for n := node; n != nil; n = n.Parent {
		for _, children := range [][]*kong.Flag{n.Flags, defaultFlags(n)} {
			if f := flagNamed(children, "--"+name); f != nil {
				return cmp.Or(f.PlaceHolder, "VALUE")
			}
		}
	}
	return "VALUE"
}

func defaultFlags(n *kong.Node) []*kong.Flag {
	if n.DefaultCmd == nil {
		return nil
	}
	return n.DefaultCmd.Flags
}

// reads is how the parser takes the value of a flag that parse reads. what stands for
// the value in an error.
func reads[T any](what string, parse func(text string) (T, error)) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto(what, &text); err != nil {
			return err
		}
		value, err := parse(text)
		if err != nil {
			return err
		}
		target.Set(reflect.ValueOf(value).Convert(target.Type()))
		return nil
	}
}

// durationMapper makes the parser read lengths of time.
func durationMapper() kong.Option {
	return kong.TypeMapper(reflect.TypeFor[time.Duration](), reads("time", func(text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		if err != nil {
			return 0, fmt.Errorf("%q is not a length of time: try 30s, 10m or 2h", text)
		}
		return d, nil
	}))
}

// intMapper makes the parser read whole numbers.
func intMapper() kong.Option {
	return kong.KindMapper(reflect.Int, reads("number", func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("expected a whole number but got %q", text)
		}
		return n, nil
	}))
}

// volumeName is the name of a volume that is to be made.
type volumeName string

// Validate is called by the parser.
func (n volumeName) Validate() error {
	if n != "" && !inventory.IsVolumeName(string(n)) {
		return fmt.Errorf("%q is not a valid volume name: use letters, digits, _, . and -", string(n))
	}
	return nil
}
