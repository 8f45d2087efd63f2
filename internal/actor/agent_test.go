package actor

import "testing"

// Each fixture is what an agent sets for the commands that it runs.
func TestDetectAgent(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want Agent
	}{
		"none":          {map[string]string{"USER": "ana", "SSH_AUTH_SOCK": "/tmp/agent.1"}, Agent{}},
		"claude code":   {map[string]string{"CLAUDECODE": "1", "CLAUDE_CODE_ENTRYPOINT": "cli"}, Agent{"claude-code", "CLAUDECODE"}},
		"cursor":        {map[string]string{"CURSOR_AGENT": "1", "CURSOR_TRACE_ID": "s3cret"}, Agent{"cursor", "CURSOR_AGENT"}},
		"gemini":        {map[string]string{"GEMINI_CLI": "1", "GEMINI_API_KEY": "s3cret"}, Agent{"gemini-cli", "GEMINI_CLI"}},
		"codex thread":  {map[string]string{"CODEX_THREAD_ID": "0199a213-81c0-7800-8aa1-bbab2a035a53"}, Agent{"codex", "CODEX_THREAD_ID"}},
		"codex sandbox": {map[string]string{"CODEX_SANDBOX": "seatbelt"}, Agent{"codex", "CODEX_SANDBOX"}},
		"opencode":      {map[string]string{"OPENCODE": "1"}, Agent{"opencode", "OPENCODE"}},
		"augment":       {map[string]string{"AUGMENT_AGENT": "1"}, Agent{"augment", "AUGMENT_AGENT"}},
		"cline":         {map[string]string{"CLINE_ACTIVE": "true"}, Agent{"cline", "CLINE_ACTIVE"}},
		"general":       {map[string]string{"AI_AGENT": "copilot-cli"}, Agent{"copilot-cli", "AI_AGENT"}},
		"with version":  {map[string]string{"AI_AGENT": "Goose/1.2.0"}, Agent{"goose/1.2.0", "AI_AGENT"}},
		"most general":  {map[string]string{"AGENT": "amp"}, Agent{"amp", "AGENT"}},
		"only a yes":    {map[string]string{"AGENT": "1"}, Agent{"unknown", "AGENT"}},
		"a secret":      {map[string]string{"AGENT": "https://ana:s3cret@example"}, Agent{"unknown", "AGENT"}},
		"the own first": {map[string]string{"AGENT": "amp", "CLAUDECODE": "1"}, Agent{"claude-code", "CLAUDECODE"}},
		"a no":          {map[string]string{"CLAUDECODE": "0", "CLINE_ACTIVE": "false", "AGENT": "off"}, Agent{}},
	} {
		var got Agent
		if a := DetectAgent(lookup(c.env)); a != nil {
			got = *a
		}
		if got != c.want {
			t.Errorf("%s: %+v, not %+v", name, got, c.want)
		}
	}
}
