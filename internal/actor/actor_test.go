package actor

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func lookup(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

// Each fixture is what the vendor's documentation says a job sees; secrets are
// variables that must never be recorded.
func TestDetectCI(t *testing.T) {
	github := map[string]string{"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_TRIGGERING_ACTOR": "ana", "GITHUB_ACTOR": "bob", "GITHUB_SERVER_URL": "https://git.example",
		"GITHUB_REPOSITORY": "shop/web", "GITHUB_RUN_ID": "42", "GITHUB_SHA": "c0ffee", "GITHUB_TOKEN": "s3cret"}
	with := func(base map[string]string, name, value string) map[string]string {
		out := map[string]string{name: value}
		for k, v := range base {
			out[k] = v
		}
		return out
	}
	run := "https://git.example/shop/web/actions/runs/42"
	for name, c := range map[string]struct {
		env  map[string]string
		want *CI
	}{
		"none":     {map[string]string{"USER": "ana"}, nil},
		"CI=false": {map[string]string{"CI": "false"}, nil},
		"unknown":  {map[string]string{"CI": "true"}, &CI{Vendor: "unknown"}},
		"github":   {github, &CI{"github", "ana", run, "shop/web", "c0ffee"}},
		"gitea":    {with(github, "GITEA_ACTIONS", "true"), &CI{"gitea", "ana", run, "shop/web", "c0ffee"}},
		"forgejo":  {with(github, "FORGEJO_ACTIONS", "true"), &CI{"forgejo", "ana", run, "shop/web", "c0ffee"}},
		"gitlab": {map[string]string{"CI": "true", "GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ana", "CI_JOB_URL": "https://git.example/-/jobs/1", "CI_PROJECT_PATH": "shop/web", "CI_COMMIT_SHA": "c0ffee",
			"CI_REPOSITORY_URL": "https://gitlab-ci-token:s3cret@git.example/shop/web.git"}, &CI{"gitlab", "ana", "https://git.example/-/jobs/1", "shop/web", "c0ffee"}},
		"woodpecker": {map[string]string{"CI": "woodpecker", "GITLAB_CI": "true", "CI_PIPELINE_AUTHOR": "ana", "CI_PIPELINE_URL": "https://ci.example/1", "CI_REPO": "shop/web", "CI_COMMIT_SHA": "c0ffee"}, &CI{"woodpecker", "ana", "https://ci.example/1", "shop/web", "c0ffee"}},
		"jenkins":    {map[string]string{"JENKINS_URL": "https://j.example/", "BUILD_USER_ID": "ana", "BUILD_URL": "https://j.example/job/1/", "GIT_URL": "https://ana:s3cret@git.example/shop.git", "GIT_COMMIT": "c0ffee"}, &CI{"jenkins", "ana", "https://j.example/job/1/", "https://git.example/shop.git", "c0ffee"}},
		"circleci":   {map[string]string{"CIRCLECI": "true", "CIRCLE_USERNAME": "ana", "CIRCLE_BUILD_URL": "https://c.example/1", "CIRCLE_REPOSITORY_URL": "git@git.example:shop/web.git", "CIRCLE_SHA1": "c0ffee"}, &CI{"circleci", "ana", "https://c.example/1", "git.example:shop/web.git", "c0ffee"}},
		"buildkite":  {map[string]string{"BUILDKITE": "true", "BUILDKITE_UNBLOCKER": "ana", "BUILDKITE_BUILD_CREATOR": "bob", "BUILDKITE_BUILD_URL": "https://b.example/1", "BUILDKITE_REPO": "https://s3cret@git.example/shop.git", "BUILDKITE_COMMIT": "c0ffee"}, &CI{"buildkite", "ana", "https://b.example/1", "https://git.example/shop.git", "c0ffee"}},
		"azure-pipelines": {map[string]string{"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "Ana", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://a.example/org/", "SYSTEM_TEAMPROJECT": "shop", "BUILD_BUILDID": "7",
			"BUILD_REPOSITORY_URI": "https://org@a.example/shop", "BUILD_SOURCEVERSION": "c0ffee"}, &CI{"azure-pipelines", "Ana", "https://a.example/org/shop/_build/results?buildId=7", "https://a.example/shop", "c0ffee"}},
		"bitbucket": {map[string]string{"CI": "true", "BITBUCKET_BUILD_NUMBER": "9", "BITBUCKET_STEP_TRIGGERER_UUID": "{u}", "BITBUCKET_GIT_HTTP_ORIGIN": "https://b.example/shop/web", "BITBUCKET_REPO_FULL_NAME": "shop/web", "BITBUCKET_COMMIT": "c0ffee"}, &CI{"bitbucket", "{u}", "https://b.example/shop/web/pipelines/results/9", "shop/web", "c0ffee"}},
		"drone":     {map[string]string{"DRONE": "true", "DRONE_BUILD_TRIGGER": "ana", "DRONE_BUILD_LINK": "https://d.example/1", "DRONE_REPO": "shop/web", "DRONE_COMMIT_SHA": "c0ffee"}, &CI{"drone", "ana", "https://d.example/1", "shop/web", "c0ffee"}},
		"teamcity":  {map[string]string{"TEAMCITY_VERSION": "2026", "TEAMCITY_BUILD_TRIGGERED_BY_USERNAME": "ana", "BUILD_URL": "https://t.example/1", "TEAMCITY_PROJECT_NAME": "shop", "BUILD_VCS_NUMBER": "c0ffee"}, &CI{"teamcity", "ana", "https://t.example/1", "shop", "c0ffee"}},
	} {
		got, _ := json.Marshal(DetectCI(lookup(c.env)))
		want, _ := json.Marshal(c.want)
		if string(got) != string(want) {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		if strings.Contains(string(got), "s3cret") {
			t.Errorf("%s: a secret is recorded", name)
		}
	}
}

func TestUser(t *testing.T) {
	for _, c := range []struct {
		user, logname, account, want string
	}{{"ana", "bob", "root", "ana"}, {"", "bob", "root", "bob"}, {"", "", "root", "root"}, {"", "", "", "unknown"}} {
		m := Machine{Getenv: lookup(map[string]string{"USER": c.user, "LOGNAME": c.logname}), Account: c.account}
		if got := User(m); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestIdentify(t *testing.T) {
	m := Machine{Getenv: lookup(map[string]string{"SUDO_USER": "ana", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22", "AWS_SECRET_ACCESS_KEY": "s3cret"}),
		UID: 0, EUID: 0, LoginUID: "4294967295", SessionID: "7", Hostname: "lap", PID: 9, Started: "123"}
	data, _ := json.Marshal(Identify(m))
	want := `{"uid":0,"euid":0,"session":7,"sudo_user":"ana","ssh":"10.0.0.1 1 10.0.0.2 22","host":"lap","pid":9,"started":"123"}`
	if string(data) != want {
		t.Errorf("\n got %s\nwant %s", data, want)
	}
}

func TestThisMachine(t *testing.T) {
	m := ThisMachine(os.Getenv)
	if m.PID != os.Getpid() || m.UID != os.Getuid() {
		t.Errorf("%+v", m)
	}
	if m.Started != "" && StartOf(m.PID) != m.Started {
		t.Error("the start of this process moves")
	}
	if StartOf(1<<30) != "" {
		t.Error("a process that is not there has a start")
	}
}
