package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Decision is what an agent is told about a command.
type Decision string

// The decisions, the mildest first. Pass leaves it to the agent's own rules.
const (
	Pass Decision = ""
	Ask  Decision = "ask" // the person at the agent
	Deny Decision = "deny"
)

// Verdict is a decision with its reason.
type Verdict struct {
	Decision Decision
	Reason   string
}

// Question is what an agent asks: a shell command that it is about to run.
// Command is "" if it asks about something else.
type Question struct {
	Command string
	Dir     string // working directory

	answer func(Verdict) any
}

// inputLimit is how much an agent may ask: a command can hold a whole file.
const inputLimit = 16 << 20

// call is the union of what agents send:
//
//	Claude Code, Codex, VS Code   hook_event_name PreToolUse, tool_input.command
//	Gemini CLI                    hook_event_name BeforeTool, tool_input.command
//	Cursor                        hook_event_name beforeShellExecution, command
//	Copilot CLI                   toolName, toolArgs (JSON in a text)
type call struct {
	Event    string          `json:"hook_event_name"`
	Dir      string          `json:"cwd"`
	Turn     string          `json:"turn_id"` // Codex alone has it
	Command  string          `json:"command"`
	Input    json.RawMessage `json:"tool_input"`
	ToolName string          `json:"toolName"`
	ToolArgs json.RawMessage `json:"toolArgs"`
}

// Read reads a question in any of the known shapes.
func Read(in io.Reader) (q Question, err error) {
	var c call
	data, err := io.ReadAll(io.LimitReader(in, inputLimit+1))
	switch {
	case err != nil:
		return q, err
	case len(data) > inputLimit:
		return q, fmt.Errorf("standard input is larger than %d MiB", inputLimit>>20)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return q, fmt.Errorf("standard input is not an agent's request: %w", err)
	}
	q.Dir = c.Dir
	switch {
	case c.Event == "PreToolUse":
		q.Command, q.answer = commandOf(c.Input), preToolUse(c.Turn == "")
	case c.Event == "BeforeTool":
		q.Command, q.answer = commandOf(c.Input), beforeTool
	case c.Event == "beforeShellExecution":
		q.Command, q.answer = c.Command, beforeShell
	case c.Event == "" && c.ToolName != "":
		q.Command, q.answer = commandOf(c.ToolArgs), copilot
	default:
		return q, errors.New("standard input is not a request that an agent makes before it runs a tool")
	}
	return q, nil
}

// commandOf finds the command in the arguments of a tool, which some agents give
// as a text. A tool without one does not concern us.
func commandOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	var args struct {
		Command json.RawMessage `json:"command"`
	}
	if json.Unmarshal(raw, &args) != nil {
		return ""
	}
	if json.Unmarshal(args.Command, &text) == nil {
		return text
	}
	var argv []string // of an agent that starts programs without a shell
	if json.Unmarshal(args.Command, &argv) == nil {
		return quoted(argv)
	}
	return ""
}

// Answer writes the verdict as the agent expects it.
func (q Question) Answer(w io.Writer, v Verdict) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if v.Decision == Pass {
		return enc.Encode(struct{}{})
	}
	return enc.Encode(q.answer(v))
}

// https://code.claude.com/docs/en/hooks. Codex knows no "ask" yet, and would go on.
func preToolUse(asks bool) func(Verdict) any {
	return func(v Verdict) any {
		if !asks {
			v.Decision = Deny
		}
		type output struct {
			Event    string   `json:"hookEventName"`
			Decision Decision `json:"permissionDecision"`
			Reason   string   `json:"permissionDecisionReason"`
		}
		return map[string]output{"hookSpecificOutput": {"PreToolUse", v.Decision, v.Reason}}
	}
}

// https://geminicli.com/docs/hooks/reference: there is no "ask" either.
func beforeTool(v Verdict) any {
	return map[string]string{"decision": string(Deny), "reason": v.Reason}
}

// https://cursor.com/docs/hooks
func beforeShell(v Verdict) any {
	return map[string]string{"permission": string(v.Decision), "user_message": v.Reason, "agent_message": v.Reason}
}

// https://docs.github.com/copilot/reference/hooks-configuration
func copilot(v Verdict) any {
	return map[string]string{"permissionDecision": string(v.Decision), "permissionDecisionReason": v.Reason}
}
