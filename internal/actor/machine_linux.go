package actor

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

func readLine(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func (m *Machine) fillSystem() {
	m.LoginUID = readLine("/proc/self/loginuid")
	m.SessionID = readLine("/proc/self/sessionid")
	m.BootID = readLine("/proc/sys/kernel/random/boot_id")
	m.Started = StartOf(m.PID)
	m.TTY = terminal()
	for _, sign := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(sign); err == nil {
			m.Container = true
		}
	}
}

// statFields are the fields of /proc/PID/stat from the third on: the second is
// the command in parentheses, which may hold spaces and parentheses itself.
func statFields(pid int) []string {
	line := readLine(fmt.Sprintf("/proc/%d/stat", pid))
	i := strings.LastIndexByte(line, ')')
	if i < 0 {
		return nil
	}
	return strings.Fields(line[i+1:])
}

// StartOf is when the process started, in ticks since boot, "" when there is no
// such process, or only what is left of one that nobody has waited for. With the
// boot id it names a process for good.
func StartOf(pid int) string {
	const state, starttime = 0, 22 - 3
	if f := statFields(pid); len(f) > starttime && f[state] != "Z" && f[state] != "X" {
		return f[starttime]
	}
	return ""
}

// terminal is the name of the controlling terminal, from its device number.
func terminal() string {
	const ttyNr = 7 - 3
	f := statFields(os.Getpid())
	if len(f) <= ttyNr {
		return ""
	}
	n, err := strconv.ParseUint(f[ttyNr], 10, 32)
	if err != nil || n == 0 {
		return ""
	}
	major, minor := n>>8&0xfff, n&0xff|n>>12&0xfff00
	switch {
	case major >= 136 && major <= 143:
		return fmt.Sprintf("pts/%d", (major-136)*256+minor)
	case major == 4 && minor < 64:
		return fmt.Sprintf("tty%d", minor)
	case major == 4:
		return fmt.Sprintf("ttyS%d", minor-64)
	}
	return fmt.Sprintf("%d:%d", major, minor)
}

// ParentOf is the process that started another, 0 where there is none.
func ParentOf(pid int) int {
	const ppid = 4 - 3
	f := statFields(pid)
	if len(f) <= ppid {
		return 0
	}
	n, _ := strconv.Atoi(f[ppid]) // the kernel's own number
	return n
}

// CommandLine is how a process was started, nil where that cannot be seen.
func CommandLine(pid int) []string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}
