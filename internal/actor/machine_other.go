//go:build !linux

package actor

func (m *Machine) fillSystem() {}

// StartOf is unknown here.
func StartOf(int) string { return "" }

// ParentOf is unknown here.
func ParentOf(int) int { return 0 }

// CommandLine is unknown here.
func CommandLine(int) []string { return nil }
