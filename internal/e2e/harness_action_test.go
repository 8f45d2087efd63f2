package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// runner runs the steps of the action as GitHub's runner does: inputs with their
// defaults and state as variables; outputs, state, the PATH and the summary in files.
type runner struct {
	*stack
	action struct {
		Inputs map[string]struct{ Default string }
		Runs   struct {
			Using, Main, Post string
			PostIf            string `yaml:"post-if"`
		}
	}
	files string // where the runner's files are
	env   []string
}

func newRunner(t *testing.T, files map[string]string) *runner {
	t.Helper()
	need.Command(t, "node")
	r := &runner{stack: newStack(t, files), files: t.TempDir()}
	data, err := os.ReadFile("../../action.yml")
	if err == nil {
		err = yaml.Unmarshal(data, &r.action)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.action.Runs.Using, "node") || r.action.Runs.PostIf != "always()" {
		t.Fatalf("%+v", r.action.Runs)
	}
	r.env = append(withoutVariables(r.stack.env, "GITHUB_STEP_SUMMARY"), "CI=true", "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=2",
		"GITHUB_REPOSITORY=shop/shop", "GITHUB_SERVER_URL=https://github.com", "GITHUB_ACTOR=ana", "RUNNER_TEMP="+t.TempDir())
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
		r.env = append(r.env, name+"="+filepath.Join(r.files, name))
		if err := os.WriteFile(filepath.Join(r.files, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// command is a step, ready to start.
func (r *runner) step(script string, with map[string]string) *exec.Cmd {
	r.t.Helper()
	path, err := filepath.Abs(filepath.Join("../..", script))
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command("node", path)
	cmd.Dir, cmd.Env = r.dir, append([]string{}, r.env...)
	for name, in := range r.action.Inputs {
		value, given := with[name]
		if !given {
			value = in.Default
		}
		cmd.Env = append(cmd.Env, "INPUT_"+strings.ToUpper(strings.ReplaceAll(name, " ", "_"))+"="+value)
	}
	for name := range with {
		if _, known := r.action.Inputs[name]; !known {
			r.t.Fatalf("the action has no input %q", name)
		}
	}
	return cmd
}

func (r *runner) main(with map[string]string) result {
	r.t.Helper()
	return run(r.t, r.step(r.action.Runs.Main, with))
}

// post sees the state that main left, and of the inputs nothing that a runner does
// not promise.
func (r *runner) post() result {
	r.t.Helper()
	return run(r.t, r.afterMain())
}

func (r *runner) afterMain() *exec.Cmd {
	r.t.Helper()
	cmd := r.step(r.action.Runs.Post, nil)
	for name, value := range r.pairs("GITHUB_STATE") {
		cmd.Env = append(cmd.Env, "STATE_"+name+"="+value)
	}
	return cmd
}

// text is what a step wrote into one of the runner's files.
func (r *runner) text(variable string) string {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.files, variable))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(data)
}

// pairs reads NAME<<MARK, lines, MARK, which is all that the action may write.
func (r *runner) pairs(variable string) map[string]string {
	r.t.Helper()
	all := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(r.text(variable), "\n"), "\n")
	for i := 0; i < len(lines) && lines[0] != ""; i++ {
		name, mark, ok := strings.Cut(lines[i], "<<")
		if !ok {
			r.t.Fatalf("%s: %q", variable, lines[i])
		}
		var value []string
		for i++; lines[i] != mark; i++ {
			value = append(value, lines[i])
		}
		all[name] = strings.Join(value, "\n")
	}
	return all
}
