// Package packages tests what `make release` builds: that two builds are equal,
// that every package installs, upgrades and leaves as package managers expect, and
// that the container image loads. The builder itself is internal/lab/release, a
// module of its own.
package packages
