package transport

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestClip(t *testing.T) {
	for text, want := range map[string]string{"": "", "four": "four", "fives": "five", "drei€": "drei", "zwe€": "zwe", "\xff\xfe": ""} {
		if got := Clip(text, 4); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestCause(t *testing.T) {
	why := errors.New("connection refused")
	if got := Cause(fmt.Errorf("x: %w", &url.Error{Op: "Get", URL: "http://long", Err: why})); got != why {
		t.Error(got)
	}
	if got := Cause(why); got != why {
		t.Error(got)
	}
}

// A file that is not there, or has no certificate, is an error that names the variable.
func TestAuthorities(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if _, err := Authorities("THE_VARIABLE", file); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "THE_VARIABLE: ") {
		t.Error(err)
	}
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Authorities("THE_VARIABLE", file); err == nil || err.Error() != fmt.Sprintf("THE_VARIABLE: %q holds no certificate in PEM", file) {
		t.Error(err)
	}
}
