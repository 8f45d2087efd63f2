package provider

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/contextcore/ccdestroy/internal/fault"
)

// The types of answers.
const (
	Info  = "info"
	Error = "error" // makes Compose stop
)

// Answer writes one. Compose shows the text as it is: it must be safe to show.
func Answer(w io.Writer, kind, text string) error {
	return json.NewEncoder(w).Encode(struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}{kind, text})
}

// Metadata writes the options that the provider has.
func Metadata(w io.Writer) error {
	type parameter struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Required    bool   `json:"required"`
		Type        string `json:"type"`
	}
	type command struct {
		Parameters []parameter `json:"parameters"`
	}
	return json.NewEncoder(w).Encode(map[string]any{
		"description": "Records every docker compose down of this project in an audit log",
		"up":          command{[]parameter{}},
		"down": command{[]parameter{
			{"require", "export: refuse to destroy volumes of which there is no export", false, "string"},
			{"lock-timeout", "how long to wait for another teardown of the project (default: 10m)", false, "string"},
			{"log", "audit log (default: .contextcore/audit.jsonl in the project directory)", false, "string"},
		}},
	})
}

// OneLine is an error with its advice.
func OneLine(err error) string {
	f := fault.AsFault(err)
	text := strings.ReplaceAll(strings.TrimSpace(f.Error()), "\n", "; ")
	if f.Try != "" {
		text += " (try: " + f.Try + ")"
	}
	return text
}
