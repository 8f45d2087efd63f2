package hook

import (
	"slices"
	"strings"
)

// Instead says how to do it so that it can be undone.
const (
	instead      = "`ccdestroy` (or `ccdestroy -p PROJECT`) tears a project down, keeps its volumes for `ccdestroy undo`, and records it."
	insteadOf    = "This destroys volumes for good, and nobody records it. "
	behind       = "These are the files of volumes, behind the engine's back. "
	insteadPrune = "`ccdestroy prune` destroys unused volumes, keeps them for `ccdestroy undo`, and records it."
)

// Flags with values, before the commands of docker, podman and nerdctl, and of
// their compose, which takes those as well.
var (
	dockerValues = []string{
		"--config", "-c", "--context", "-H", "--host", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey",
		"--root", "--runroot", "--url", "--connection", "--identity", "--storage-driver", "--storage-opt", "--runtime", "--tmpdir", "--volumepath", "--cgroup-manager",
		"-n", "--namespace", "-a", "--address", "--data-root", "--snapshotter",
	}
	composeValues = append([]string{
		"-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory", "--workdir", "--parallel", "--progress", "--ansi",
	}, dockerValues...)
)

// after skips flags up to the first argument.
func after(args []word, values []string) []word {
	for len(args) > 0 && !args[0].unknown && strings.HasPrefix(args[0].text, "-") {
		skip := 1
		if takesNext(args[0].text, values) {
			skip = 2
		}
		args = args[min(skip, len(args)):]
	}
	return args
}

// takesNext reports whether the value of a flag is the next word: that of the last
// of short ones that stand together, too.
func takesNext(flag string, values []string) bool {
	if strings.HasPrefix(flag, "--") {
		return slices.Contains(values, flag)
	}
	for i, letter := range flag[1:] {
		if slices.Contains(values, "-"+string(letter)) {
			return i+2 == len(flag)
		}
	}
	return false
}

// docker judges the arguments of docker.
func (j *judge) docker(name string, args []word) {
	args = after(args, dockerValues)
	if len(args) == 0 {
		return
	}
	if args[0].unknown {
		j.find(Ask, "It is unknown which command of "+name+" this is: it may destroy volumes.")
		return
	}
	sub, rest := args[0].text, args[1:]
	switch sub {
	case "compose":
		j.compose(name+" compose", rest)
	case "volume":
		j.volume(name, rest)
	case "system":
		j.system(name, after(rest, nil))
	case "machine":
		if rest = after(rest, nil); name == "podman" && len(rest) > 0 && (rest[0].text == "rm" || rest[0].text == "reset") {
			j.find(Ask, "This destroys a virtual machine with all its volumes.")
		}
	case "kube", "play":
		if slices.ContainsFunc(rest, func(w word) bool { return w.text == "down" || w.text == "--down" }) {
			j.flag(rest, 0, "--force", Deny, insteadOf+instead)
		}
	case "container":
		rest = after(rest, nil)
		if len(rest) > 0 && (rest[0].text == "rm" || rest[0].text == "remove") {
			j.flag(rest[1:], 'v', "--volumes", Ask, "This destroys the anonymous volumes of the container for good.")
		}
	case "rm":
		j.flag(rest, 'v', "--volumes", Ask, "This destroys the anonymous volumes of the container for good.")
	}
}

func (j *judge) system(name string, args []word) {
	switch {
	case len(args) == 0:
	case args[0].text == "prune":
		j.flag(args[1:], 0, "--volumes", Deny, insteadOf+insteadPrune)
	case args[0].text == "reset" && name == "podman":
		j.find(Deny, insteadOf+instead)
	}
}

func (j *judge) volume(name string, args []word) {
	args = after(args, nil)
	switch {
	case len(args) == 0:
	case args[0].unknown:
		j.find(Ask, "It is unknown which command of "+name+" volume this is: it may destroy volumes.")
	case args[0].text == "rm" || args[0].text == "remove":
		j.find(Deny, insteadOf+instead)
	case args[0].text == "prune":
		j.find(Deny, insteadOf+insteadPrune)
	}
}

// compose judges the arguments of docker compose.
func (j *judge) compose(name string, args []word) {
	args = after(args, composeValues)
	if len(args) == 0 {
		return
	}
	if args[0].unknown {
		j.find(Ask, "It is unknown which command of "+name+" this is: it may destroy volumes.")
		return
	}
	switch rest := args[1:]; args[0].text {
	case "compose": // the plugin itself
		j.compose(name, rest)
	case "down":
		j.flag(rest, 'v', "--volumes", Deny, insteadOf+instead)
	case "rm":
		j.flag(rest, 'v', "--volumes", Ask, "This destroys the anonymous volumes of the services for good.")
	case "up":
		j.flag(rest, 'V', "--renew-anon-volumes", Ask, "This replaces the anonymous volumes of the services, and destroys what they hold.")
	}
}

// flag judges by a flag that is given, or that may be among unknown words.
func (j *judge) flag(args []word, short rune, long string, d Decision, reason string) {
	for _, a := range args {
		switch value, is := strings.CutPrefix(a.text, long); {
		case a.unknown:
			j.find(Ask, "It is unknown what "+a.text+" is: with "+long+" this destroys volumes.")
		case a.text == "--":
			return
		case is && (value == "" || strings.HasPrefix(value, "=") && !no(value[1:])):
			j.find(d, reason)
		case strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && short != 0 && clustered(a.text[1:], short):
			j.find(d, reason)
		}
	}
}

func no(value string) bool {
	return slices.Contains([]string{"false", "0", "f", "F", "FALSE", "False"}, value)
}

// clustered reports whether a letter is among combined short flags. -t
// takes what follows for its value.
func clustered(letters string, want rune) bool {
	for _, l := range letters {
		if l == want {
			return true
		}
		if l == 't' || l == '=' {
			return false
		}
	}
	return false
}
