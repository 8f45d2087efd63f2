package actor

import "strings"

// CI is what a CI system says of the job, by its own variables.
type CI struct {
	Vendor     string `json:"vendor"`
	Actor      string `json:"actor,omitempty"` // who started the run
	URL        string `json:"url,omitempty"`   // of the run
	Repository string `json:"repository,omitempty"`
	Commit     string `json:"commit,omitempty"`
}

// vendor tells one CI system by its environment and reads it. The variables are
// those of the vendors' own documentation.
type vendor struct {
	name string
	here func(get func(string) string) bool
	read func(get func(string) string) CI
}

// is tells a vendor by the value of a variable, in any case.
func is(name, value string) func(func(string) string) bool {
	return func(get func(string) string) bool { return strings.EqualFold(get(name), value) }
}

// has tells a vendor by a variable that has any value.
func has(name string) func(func(string) string) bool {
	return func(get func(string) string) bool { return get(name) != "" }
}

// vars reads a vendor whose variables say it all. Each argument is a list of
// names, of which the first that is set counts.
func vars(actor, url, repository, commit string) func(func(string) string) CI {
	return func(get func(string) string) CI {
		first := func(names string) string {
			for name := range strings.FieldsSeq(names) {
				if value := get(name); value != "" {
					return value
				}
			}
			return ""
		}
		return CI{Actor: first(actor), URL: first(url), Repository: first(repository), Commit: first(commit)}
	}
}

// github serves the vendors that took over GitHub's variables too.
func github(get func(string) string) CI {
	ci := vars("GITHUB_TRIGGERING_ACTOR GITHUB_ACTOR", "", "GITHUB_REPOSITORY", "GITHUB_SHA")(get)
	if server, run := get("GITHUB_SERVER_URL"), get("GITHUB_RUN_ID"); server != "" && run != "" {
		ci.URL = server + "/" + ci.Repository + "/actions/runs/" + run
	}
	return ci
}

func azure(get func(string) string) CI {
	ci := vars("BUILD_REQUESTEDFOR", "", "BUILD_REPOSITORY_URI", "BUILD_SOURCEVERSION")(get)
	if server, project, id := get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"), get("SYSTEM_TEAMPROJECT"), get("BUILD_BUILDID"); server != "" && id != "" {
		ci.URL = strings.TrimSuffix(server, "/") + "/" + project + "/_build/results?buildId=" + id
	}
	return ci
}

func bitbucket(get func(string) string) CI {
	ci := vars("BITBUCKET_STEP_TRIGGERER_UUID", "", "BITBUCKET_REPO_FULL_NAME", "BITBUCKET_COMMIT")(get)
	if origin, n := get("BITBUCKET_GIT_HTTP_ORIGIN"), get("BITBUCKET_BUILD_NUMBER"); origin != "" && n != "" {
		ci.URL = withoutUser(origin) + "/pipelines/results/" + n
	}
	return ci
}

// vendors in the order in which they are tested: those that set another's
// variables as well come before it.
var vendors = []vendor{
	{"forgejo", is("FORGEJO_ACTIONS", "true"), github},
	{"gitea", is("GITEA_ACTIONS", "true"), github},
	{"github", is("GITHUB_ACTIONS", "true"), github},
	{"woodpecker", is("CI", "woodpecker"), vars("CI_PIPELINE_AUTHOR CI_COMMIT_AUTHOR", "CI_PIPELINE_URL", "CI_REPO", "CI_COMMIT_SHA")},
	{"gitlab", is("GITLAB_CI", "true"), vars("GITLAB_USER_LOGIN", "CI_JOB_URL", "CI_PROJECT_PATH", "CI_COMMIT_SHA")},
	{"circleci", is("CIRCLECI", "true"), vars("CIRCLE_USERNAME CIRCLE_PR_USERNAME", "CIRCLE_BUILD_URL", "CIRCLE_REPOSITORY_URL", "CIRCLE_SHA1")},
	{"buildkite", is("BUILDKITE", "true"), vars("BUILDKITE_UNBLOCKER BUILDKITE_BUILD_CREATOR", "BUILDKITE_BUILD_URL", "BUILDKITE_REPO", "BUILDKITE_COMMIT")},
	{"azure-pipelines", is("TF_BUILD", "true"), azure},
	{"bitbucket", has("BITBUCKET_BUILD_NUMBER"), bitbucket},
	{"drone", is("DRONE", "true"), vars("DRONE_BUILD_TRIGGER DRONE_COMMIT_AUTHOR", "DRONE_BUILD_LINK", "DRONE_REPO", "DRONE_COMMIT_SHA")},
	{"teamcity", has("TEAMCITY_VERSION"), vars("TEAMCITY_BUILD_TRIGGERED_BY_USERNAME", "BUILD_URL", "TEAMCITY_PROJECT_NAME", "BUILD_VCS_NUMBER")},
	{"jenkins", has("JENKINS_URL"), vars("BUILD_USER_ID", "BUILD_URL", "GIT_URL", "GIT_COMMIT")},
}

// DetectCI says which CI runs us, or nil. A CI that is not known, and says no
// more than CI=true, is "unknown".
func DetectCI(get func(string) string) *CI {
	for _, v := range vendors {
		if v.here(get) {
			ci := v.read(get)
			ci.Vendor = v.name
			ci.URL, ci.Repository = withoutUser(ci.URL), withoutUser(ci.Repository)
			return &ci
		}
	}
	if value := get("CI"); value != "" && !strings.EqualFold(value, "false") && value != "0" {
		return &CI{Vendor: "unknown"}
	}
	return nil
}
