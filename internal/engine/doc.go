// Package engine talks to the Docker Engine: it finds the one that the user's
// Docker CLI would talk to, lists what it has, measures volumes and follows its
// events. It is the only package that imports the engine's client and the CLI's
// context packages.
package engine
