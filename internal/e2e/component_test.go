package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// The GitLab component's job tears down what its inputs name; the job of a survivor
// fails.
func TestGitLabComponent(t *testing.T) {
	t.Parallel()
	text := read(t, "../../docs/ci/gitlab-component.yml")
	head, body, found := strings.Cut(text, "\n---\n")
	var spec struct {
		Spec struct {
			Inputs map[string]struct{ Default *string }
		}
	}
	if err := yaml.Unmarshal([]byte(head), &spec); err != nil || !found {
		t.Fatal(err, found)
	}
	s := newStack(t, map[string]string{"ci.yaml": single})
	given := map[string]string{"runner-tag": "host", "project-args": "-f ci.yaml", "down-args": "--rmi local"}
	for name, in := range spec.Spec.Inputs {
		value, set := given[name]
		if !set && in.Default != nil {
			value, set = *in.Default, true
		}
		if !set {
			t.Errorf("input %s has no default", name)
		}
		body = strings.ReplaceAll(body, "$[[ inputs."+name+" ]]", value)
	}
	var jobs map[string]struct {
		When      string
		Variables map[string]string
		Script    []string
		Artifacts struct{ Paths []string }
	}
	if err := yaml.Unmarshal([]byte(body), &jobs); err != nil || strings.Contains(body, "$[[") {
		t.Fatalf("%v\n%s", err, body)
	}
	job := jobs["ccdestroy"]
	s.env = append(s.env, "CI=true", "GITLAB_CI=true", "CI_PIPELINE_ID=7", "PATH="+filepath.Dir(binary)+":/usr/sbin:/usr/bin:/sbin:/bin")
	for name, value := range job.Variables {
		s.env = append(s.env, name+"="+strings.ReplaceAll(value, "$CI_PIPELINE_ID", "7"))
	}
	s.docker("compose", "--file", "ci.yaml", "up", "--detach")
	script := "set -e\n" + strings.Join(job.Script, "\n")
	if got := run(t, s.command("", "sh", "-c", script)); got.code != 0 || job.When != "always" || len(s.running()) != 0 {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	log := filepath.Join(s.dir, job.Artifacts.Paths[0])
	if last := eventsIn(t, log)[1]; last.Outcome != "success" || !strings.Contains(read(t, log), `"pipeline 7"`) {
		t.Errorf("%+v", last)
	}
	s.docker("compose", "--file", "ci.yaml", "up", "--detach")
	s.docker("run", "--detach", "--name", s.name+"-holder", "--volume", "PROJ_data:/x", "IMAGE")
	if got := run(t, s.command("", "sh", "-c", script)); got.code != 3 {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}
