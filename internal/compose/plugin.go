package compose

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// The docker command starts its plugin twice, for its metadata and for
// the work itself. That is half the time of a small teardown, so the plugin
// is run as docker would run it, once docker has said which one it takes.

// originalCommand tells a plugin how docker was called.
const originalCommand = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND"

// ordinary are the keys of config.json that mean nothing to a teardown. With any
// other one docker itself runs the plugin: aliases, hooks and settings of plugins
// are for docker to follow.
var ordinary = []string{
	"auths", "credsStore", "credHelpers", "currentContext", "cliPluginsExtraDirs", "HttpHeaders", "proxies", "detachKeys", "experimental",
	"psFormat", "imagesFormat", "networksFormat", "volumesFormat", "statsFormat", "servicesFormat", "tasksFormat", "nodesFormat", "configFormat", "secretFormat", "pluginsFormat",
}

// askPlugin asks docker which Compose plugin it runs. "" is that docker has to run
// it itself.
func (c *Compose) askPlugin(ctx context.Context) string {
	if runtime.GOOS == "windows" || c.alone || !c.plain() || c.script() {
		return ""
	}
	stdout, _, err := c.run(ctx, "info", "--format", "{{json .ClientInfo.Plugins}}")
	var plugins []struct{ Name, Path, Err string }
	if err != nil || json.Unmarshal(stdout, &plugins) != nil {
		return ""
	}
	for _, p := range plugins {
		if p.Name == "compose" && p.Err == "" && c.candidate(p.Path) {
			return p.Path
		}
	}
	return ""
}

// candidate reports whether docker could run the file as its plugin: what is
// remembered must not lead elsewhere.
func (c *Compose) candidate(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && slices.Contains(c.pluginDirs(), filepath.Dir(path)) && filepath.Base(path) == pluginName()
}

// script reports whether docker is a script, which somebody has put there for a reason.
func (c *Compose) script() bool {
	path, err := c.Program()
	if err != nil {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	begin := make([]byte, 2)
	_, err = io.ReadFull(f, begin)
	return err != nil || string(begin) == "#!"
}

// plain reports whether docker's configuration is of the ordinary kind.
func (c *Compose) plain() bool {
	data, err := os.ReadFile(c.configFile())
	if os.IsNotExist(err) {
		return true
	}
	var keys map[string]json.RawMessage
	if err != nil || json.Unmarshal(data, &keys) != nil {
		return false
	}
	for key := range keys {
		if !slices.Contains(ordinary, key) {
			return false
		}
	}
	return true
}

// executable is what Down and Stop run, and its environment.
func (c *Compose) executable() (path string, env []string, err error) {
	docker, err := c.Program()
	if err != nil || c.plugin == "" {
		return docker, c.Env, err
	}
	return c.plugin, append(slices.Clone(c.Env), originalCommand+"=docker"), nil
}

// Executed is the program that Down runs in place of docker, with the arguments of
// Command; "" is docker itself. It is known after Version.
func (c *Compose) Executed() string { return c.plugin }
