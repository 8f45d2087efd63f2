package compose

import "github.com/compose-spec/compose-go/v2/schema"

// WarmUp compiles the JSON Schema of compose files. That is most of the time that
// Model takes, for the first file, and can be done in parallel with other work.
func WarmUp() { _ = schema.Validate(map[string]any{}) }
