package undo_test

import "runtime"

// linux: no other kind of host has the volumes of an engine.
const linux = runtime.GOOS == "linux"
