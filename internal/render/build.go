package render

import (
	"fmt"
	"io"
)

// Build says what a binary was built from.
type Build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`   // "" when it was not built in a work tree
	Time     string `json:"time"`     // of the commit, RFC 3339
	Modified bool   `json:"modified"` // the work tree was not as committed
	Go       string `json:"go"`
	Platform string `json:"platform"` // system/processor
}

// BuildText writes it for people.
func BuildText(w io.Writer, b Build) error {
	if b.Commit != "" {
		note := ""
		if b.Modified {
			note = ", changed"
		}
		if _, err := fmt.Fprintf(w, "  commit %s of %s%s\n", b.Commit, b.Time, note); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "  %s, %s\n", b.Go, b.Platform)
	return err
}

// BuildJSON writes it for programs.
func BuildJSON(w io.Writer, b Build) error { return encodeJSON(w, b, "", "  ") }
