package provider

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// ownSession lets a process outlive the console of this one.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}
