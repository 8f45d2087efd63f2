package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextcore/ccdestroy/internal/lab/need"
)

// pipeline is what Jenkins gives a step: variables, a shell that runs in the
// workspace, and words that end a build in one way or another.
const pipeline = `
def step = new GroovyShell(new Binding(env: [BUILD_TAG: 'shop-7'])).parse(new File(args[0]))
def variables = []
step.metaClass.withEnv = { List v, Closure c -> variables = v; c() }
step.metaClass.sh = { Map m ->
  def builder = new ProcessBuilder(['sh', '-c', m.script] as String[]).inheritIO()
  variables.each { def (name, value) = it.toString().split('=', 2) as List; builder.environment()[name] = value }
  builder.start().waitFor()
}
step.metaClass.archiveArtifacts = { Map m -> println 'KEPT ' + m.artifacts }
step.metaClass.unstable = { String s -> println 'UNSTABLE' }
step.metaClass.error = { String s -> println 'ERROR ' + s }
step.call(projectArgs: '-f ci.yaml')
`

// The Jenkins step tears down, keeps the log, and makes the build unstable where
// something survived.
func TestJenkinsStep(t *testing.T) {
	t.Parallel()
	need.Command(t, "groovy")
	step, err := filepath.Abs("../../docs/ci/ccdestroyDown.groovy")
	if err != nil {
		t.Fatal(err)
	}
	s := newStack(t, map[string]string{"ci.yaml": single, "pipeline.groovy": pipeline})
	s.env = append(withoutVariables(s.env, "PATH"), "CI=true", "PATH="+filepath.Dir(binary)+":/usr/sbin:/usr/bin:/sbin:/bin")
	s.docker("compose", "--file", "ci.yaml", "up", "--detach")
	s.docker("run", "--detach", "--name", s.name+"-holder", "--volume", "PROJ_data:/x", "IMAGE")
	for _, want := range []string{"UNSTABLE\n", ""} {
		r := run(t, s.command("", "groovy", "pipeline.groovy", step))
		if r.code != 0 || !strings.HasSuffix(r.stdout, "KEPT .contextcore/audit*.jsonl\n"+want) {
			t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		s.docker("rm", "--force", s.name+"-holder")
	}
	if last := s.last(); last.Outcome != "success" || len(last.DataAffected) != 1 || !strings.Contains(read(t, s.logPath()), `"build shop-7"`) {
		t.Errorf("%+v", last)
	}
}
