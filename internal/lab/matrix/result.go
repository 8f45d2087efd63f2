package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// result is how one test ended, and what it said.
type result struct {
	action string // pass, fail or skip; "" when it was cut off
	output strings.Builder
}

// results are those of one engine, by the test's name.
type results map[string]*result

// read collects the results from the output of go tool test2json.
func read(r io.Reader) (results, error) {
	all := results{}
	for in := json.NewDecoder(r); ; {
		var event struct{ Action, Test, Output string }
		if err := in.Decode(&event); err == io.EOF {
			return all, nil
		} else if err != nil {
			return all, err
		}
		if all[event.Test] == nil {
			all[event.Test] = &result{}
		}
		switch event.Action {
		case "pass", "fail", "skip":
			all[event.Test].action = event.Action
		case "output":
			all[event.Test].output.WriteString(event.Output)
		}
	}
}

// leaves are the names of the tests without subtests, sorted: what each shows is
// counted once.
func (r results) leaves() (names []string) {
	parents := map[string]bool{"": true}
	for name := range r {
		for at := strings.LastIndex(name, "/"); at > 0; at = strings.LastIndex(name[:at], "/") {
			parents[name[:at]] = true
		}
	}
	for name := range r {
		if !parents[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// reason is why a test was skipped.
func (r *result) reason() string {
	_, why, found := strings.Cut(r.output.String(), "SKIPPED: ")
	if !found {
		return "it does not say why"
	}
	why, _, _ = strings.Cut(why, "\n")
	return strings.TrimPrefix(why, "this test needs ")
}

// failures are the tests that did not pass, parents too, with what they said.
func (r results) failures() (texts []string) {
	for name, one := range r {
		if name != "" && one.action != "pass" && one.action != "skip" {
			texts = append(texts, fmt.Sprintf("%s: %s", name, one.output.String()))
		}
	}
	slices.Sort(texts)
	return texts
}

// skips are the tests that did not run, by the reason.
func (r results) skips() map[string][]string {
	out := map[string][]string{}
	for _, name := range r.leaves() {
		if one := r[name]; one.action == "skip" {
			out[one.reason()] = append(out[one.reason()], name)
		}
	}
	return out
}

// cell is what the tests of a feature came to: how many passed, a dash where none
// could run.
func (r results) cell(f feature) string {
	count := map[string]int{}
	for _, name := range r.leaves() {
		if f.tests.MatchString(name) {
			count[r[name].action]++
		}
	}
	failed := count["fail"] + count[""]
	switch {
	case failed > 0:
		return fmt.Sprintf("%d of %d FAIL", failed, failed+count["pass"])
	case count["pass"] > 0:
		return fmt.Sprint(count["pass"])
	}
	return "-"
}
