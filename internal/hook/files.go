package hook

import (
	"path"
	"slices"
	"strings"
)

// dockerRoot is where engines keep their volumes, unless told otherwise.
const dockerRoot = "/var/lib/docker"

// rm judges rm of the files of volumes, and rm -r of directories that hold them.
func (j *judge) rm(args []word) {
	recursive := slices.ContainsFunc(args, func(a word) bool {
		return a.text == "--recursive" || strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && strings.ContainsAny(a.text, "rR")
	})
	for _, a := range args {
		if !strings.HasPrefix(a.text, "-") && (recursive && j.holdsVolumes(a) || j.inVolume(a)) {
			j.find(Deny, behind+insteadOf+instead)
		}
		if a.unknown && strings.Contains(a.text, "docker") && (strings.Contains(a.text, "Mountpoint") || strings.Contains(a.text, "DockerRootDir")) {
			j.find(Deny, behind+insteadOf+instead)
		}
	}
}

// files judges programs that move, empty or replace files.
func (j *judge) files(name string, args []word) {
	if name == "rsync" && !slices.ContainsFunc(args, func(a word) bool { return strings.HasPrefix(a.text, "--del") }) {
		return
	}
	switch paths := slices.DeleteFunc(slices.Clone(args), func(a word) bool { return strings.HasPrefix(a.text, "-") }); {
	case len(paths) == 0:
		return
	case name == "rsync":
		args = paths[len(paths)-1:] // where to
	case name == "mv":
		args = paths[:len(paths)-1] // what
	}
	if slices.ContainsFunc(args, func(a word) bool { return !strings.HasPrefix(a.text, "-") && (j.holdsVolumes(a) || j.inVolume(a)) }) {
		j.find(Ask, behind+"What they hold may be destroyed.")
	}
}

// findDelete judges find DIR -delete.
func (j *judge) findDelete(args []word) {
	deletes := slices.ContainsFunc(args, func(a word) bool { return a.text == "-delete" || a.text == "rm" || a.text == "unlink" })
	if deletes && slices.ContainsFunc(args, j.holdsVolumes) {
		j.find(Deny, behind+insteadOf+instead)
	}
}

// volumeDirs are the ends of the directories of volumes.
var volumeDirs = []string{"/docker/volumes", "/containers/storage/volumes", "/docker/ccdestroy-trash"}

// at is where a path leads, or "" where that is not known.
func (j *judge) at(a word) string {
	if !a.unknown && !path.IsAbs(a.text) {
		if j.dir == "" {
			return ""
		}
		return path.Join(j.dir, a.text)
	}
	return path.Clean(a.text)
}

// inVolume reports whether a path lies within one of the volumes.
func (j *judge) inVolume(a word) bool {
	at := j.at(a)
	return strings.Contains(at, "/_data/") && slices.ContainsFunc(volumeDirs, func(dir string) bool { return strings.Contains(at, dir+"/") })
}

// holdsVolumes reports whether a path is, holds, or lies in a directory of volumes.
func (j *judge) holdsVolumes(a word) bool {
	at := j.at(a)
	if at == "" {
		return false
	}
	if fits, _ := path.Match(at, dockerRoot+"/volumes"); fits && !a.unknown {
		return true
	}
	at = path.Clean(strings.TrimSuffix(at, "*"))
	for _, dir := range volumeDirs {
		if strings.HasSuffix(at, dir) || strings.Contains(at, dir+"/") {
			return true
		}
	}
	return !a.unknown && (at == "/" || at == dockerRoot || strings.HasPrefix(dockerRoot, at+"/"))
}

func (j *judge) cd(args []word) {
	switch {
	case len(args) == 0 || args[0].unknown:
		j.dir = ""
	case path.IsAbs(args[0].text):
		j.dir = args[0].text
	case j.dir != "":
		j.dir = path.Join(j.dir, args[0].text)
	}
}
