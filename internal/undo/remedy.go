package undo

import (
	"slices"
	"strings"

	"github.com/contextcore/ccdestroy/internal/fault"
	"github.com/contextcore/ccdestroy/internal/trash"
)

// rest is the command that brings back what is still in the trash.
func (r *Run) rest(gone []string) string {
	var there []string
	for _, f := range r.found {
		if !slices.Contains(gone, f.Volume) {
			there = append(there, f.Volume)
		}
	}
	return r.command(there...)
}

// path is the commands that bring everything back and lose nothing, in one line:
// a volume whose name is taken gets another one.
func (r *Run) path() string {
	var free, steps []string
	for _, f := range r.found {
		if r.inTheWay(f) == "" {
			free = append(free, f.Volume)
			continue
		}
		steps = append(steps, r.command(f.Volume, "--as", r.other(f)))
	}
	if len(free) > 0 {
		steps = append(steps, r.command(free...))
	}
	return strings.Join(steps, " && ")
}

// other is a name that nothing has.
func (r *Run) other(f trash.Found) string {
	name := r.name(f.Volume) + "-restored"
	for {
		if _, there := r.snap.Volume(name); !there {
			return name
		}
		name += "-again"
	}
}

// command is an undo of the same operation with the flags that were given: all of
// them take a value.
func (r *Run) command(words ...string) string {
	var flags []string
	args := r.Book.Args
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		word := args[i]
		if !strings.HasPrefix(word, "-") {
			continue
		}
		flag := []string{word}
		if joined := strings.Contains(word, "=") || len(word) > 2 && word[1] != '-'; !joined && i+1 < len(args) {
			i++
			flag = append(flag, args[i])
		}
		if word != "--as" && !strings.HasPrefix(word, "--as=") {
			flags = append(flags, flag...)
		}
	}
	return fault.Command(slices.Concat(r.Book.Program, []string{"undo", r.Of.ID}, words, flags)...)
}
