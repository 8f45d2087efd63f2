package cli

import (
	"fmt"
	"os/user"
	"strconv"

	"github.com/alecthomas/kong"
)

// group is the gid of a group, which the command line names; 0 is none.
type group int

// String is as Decode reads it.
func (g group) String() string {
	if g == 0 {
		return ""
	}
	return strconv.Itoa(int(g))
}

// Decode finds the group by its name or number.
func (g *group) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("group", &text); err != nil || text == "" {
		*g = 0
		return err
	}
	gid, err := strconv.Atoi(text)
	if err != nil {
		found, unknown := user.LookupGroup(text)
		if unknown != nil {
			return fmt.Errorf("there is no group %q", text)
		}
		if gid, err = strconv.Atoi(found.Gid); err != nil {
			return fmt.Errorf("group %q has no number on this system, so no log can be shared", text)
		}
	}
	if gid <= 0 {
		return fmt.Errorf("group %q is root's own", text)
	}
	*g = group(gid)
	return nil
}
