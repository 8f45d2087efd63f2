//go:build unix

package provider

import "syscall"

// ownSession lets a process outlive the terminal and the group of this one.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
