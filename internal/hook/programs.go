package hook

import (
	"path"
	"slices"
	"strings"
)

// Names of programs.
var (
	engines  = []string{"docker", "podman", "nerdctl"}
	composes = []string{"docker-compose", "podman-compose"}
	shells   = []string{"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "csh", "tcsh"}
	// wrappers run others, of which a script may be one word.
	wrappers = []string{
		"sudo", "doas", "env", "nohup", "time", "timeout", "nice", "ionice", "stdbuf", "setsid", "command", "exec", "builtin", "xargs", "watch",
		"parallel", "flock", "find", "strace", "chroot", "nsenter", "unshare", "systemd-run", "script", "busybox", "caffeinate", "su", "runuser", "ssh", "!",
		"sg", "pkexec", "tmux", "screen", "entr", "hyperfine", "concurrently", "expect", "wsl", "cmd", "powershell", "pwsh", "vagrant",
	}
	// direct ones of them start a program without a shell, and searches take a word of
	// several words for a pattern.
	direct   = []string{"sudo", "doas", "nohup", "time", "timeout", "nice", "ionice", "stdbuf", "setsid", "command", "exec", "builtin", "xargs", "find"}
	searches = []string{"grep", "egrep", "fgrep", "rg", "ag"}
	// readers are told on standard input what to run.
	readers = []string{"ssh", "su", "at", "batch", "newgrp"}
	// interpreters have languages of their own.
	interpreters = []string{"python", "python2", "python3", "perl", "ruby", "node", "deno", "bun", "php", "lua", "awk", "gawk", "mawk", "osascript"}
	// texts take words for nothing but words.
	texts = []string{"echo", "printf", "grep", "egrep", "fgrep", "rg", "ag", "git", "gh", "glab", "test", "[", "man", "tldr", "read", "say"}
)

func base(name string) string { return strings.TrimSuffix(strings.ToLower(path.Base(name)), ".exe") }

// isEngine reports whether a word is the name of a program that talks to an engine.
func isEngine(w word) bool {
	return !w.unknown && (slices.Contains(engines, base(w.text)) || slices.Contains(composes, base(w.text)))
}

// command judges a command of which the words are known as far as can be.
func (j *judge) command(words []word) {
	if len(words) == 0 {
		return
	}
	name, args := base(words[0].text), words[1:]
	if alias, ok := j.aliases[words[0].text]; ok { // or not, in a shell that expands none
		j.aliased(words[0].text, alias, args)
	}
	switch {
	case words[0].unknown:
		j.unknown(words)
	case slices.Contains(engines, name):
		j.docker(name, args)
	case slices.Contains(composes, name):
		j.compose(name, args)
	case name == "rm" || name == "unlink":
		j.rm(args)
	case name == "mv" || name == "shred" || name == "truncate" || name == "rsync":
		j.files(name, args)
	case name == "curl" || name == "wget" || name == "socat" || name == "nc" || name == "http" || name == "https" || name == "xh":
		j.http(args)
	case name == "cd" || name == "pushd":
		j.cd(args)
	case name == "eval":
		j.inner(args)
	case name == "trap" && len(args) > 0:
		j.inner(args[:1])
	case name == "alias":
		j.alias(args)
	case name == "source" || name == ".":
		j.substituted(args)
	case slices.Contains(shells, name):
		j.shell(args)
	case slices.Contains(wrappers, name):
		j.wrapped(name, args)
	case slices.Contains(interpreters, name) || strings.HasPrefix(name, "python3."):
		j.code(join(args))
	case !slices.Contains(texts, name):
		j.passedOn(args)
	}
}

// passedOn judges what a program may run that is not known: uv run, npx, a script
// of somebody's.
func (j *judge) passedOn(args []word) {
	if i := slices.IndexFunc(args, isEngine); i >= 0 {
		j.command(args[i:])
	}
}

// wrapped judges what a program runs that runs others. Where its own flags end is
// not known of each; so everything counts that begins with a name that matters.
func (j *judge) wrapped(name string, args []word) {
	if name == "find" {
		j.findDelete(args)
	}
	searching := false
	for i, a := range args {
		inner := base(a.text)
		searching = searching || slices.Contains(direct, name) && slices.Contains(searches, inner)
		switch {
		case a.unknown:
			j.unknown(args[i:])
		case isEngine(a), slices.Contains([]string{"rm", "eval", "curl"}, inner), slices.Contains(shells, inner):
			j.command(args[i:])
		case strings.ContainsAny(a.text, " \t\n;|&") && !searching: // su -c, ssh HOST, env -S: a script in a word
			j.script(a.text)
		}
	}
	if name == "xargs" && len(args) > 0 && (args[len(args)-1].unknown || slices.ContainsFunc(args, isEngine) && slices.Contains(unended, args[len(args)-1].text)) {
		j.find(Ask, "What xargs has docker do is unknown: it may destroy volumes.")
	}
}

// unended are words behind which the command of docker is still to come.
var unended = slices.Concat(engines, composes, []string{"compose", "volume"})
