package actor

import (
	"os"
	"os/user"
)

// ThisMachine asks the operating system.
func ThisMachine(getenv func(string) string) Machine {
	m := Machine{Getenv: getenv, UID: os.Getuid(), EUID: os.Geteuid(), PID: os.Getpid()}
	m.Hostname, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		m.Account = u.Username
	}
	m.fillSystem()
	return m
}
