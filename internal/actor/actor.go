// Package actor finds out who runs the program: by the account, the login
// session and the terminal, in CI by what the vendor's own variables say, and by
// those that coding agents set.
// Everything comes from a lookup that is passed in, so that the answer for any
// machine can be tested on any other.
//
// Each claim is kept with its source, since they differ in worth: a uid comes
// from the kernel, USER from whoever set it. The variables are an allow-list;
// no other is ever recorded, and none that can hold a token.
package actor

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
)

// Machine is what the operating system says; the zero value is a machine that
// says nothing.
type Machine struct {
	Getenv    func(string) string
	UID, EUID int    // -1 where there are none
	Account   string // name of the uid's account, or ""
	Hostname  string
	LoginUID  string // /proc/self/loginuid
	SessionID string // /proc/self/sessionid
	BootID    string // /proc/sys/kernel/random/boot_id
	TTY       string // name of the controlling terminal, or ""
	PID       int
	Started   string // start time of the process, in ticks since boot
	Container bool   // the process runs in a container
}

// Actor is who did it. Empty fields are unknown.
type Actor struct {
	UID       *int   `json:"uid,omitempty"`       // kernel
	EUID      *int   `json:"euid,omitempty"`      // kernel
	Account   string `json:"account,omitempty"`   // account database, of the uid
	LoginUID  *int64 `json:"login_uid,omitempty"` // kernel, set once at login (Linux)
	SessionID *int64 `json:"session,omitempty"`   // kernel audit session (Linux)
	SudoUser  string `json:"sudo_user,omitempty"` // SUDO_USER
	SudoUID   string `json:"sudo_uid,omitempty"`  // SUDO_UID
	TTY       string `json:"tty,omitempty"`       // kernel
	SSH       string `json:"ssh,omitempty"`       // SSH_CONNECTION: client address and port, server address and port
	Host      string `json:"host,omitempty"`      // kernel
	BootID    string `json:"boot_id,omitempty"`   // kernel
	PID       int    `json:"pid,omitempty"`       // kernel
	Started   string `json:"started,omitempty"`   // kernel: start of the process, in ticks since boot
	Container bool   `json:"container,omitempty"` // signs in the file system
	CI        *CI    `json:"ci,omitempty"`
	Agent     *Agent `json:"agent,omitempty"`
}

// User is the name for the log's user field: $USER, else LOGNAME, else the
// account of the uid, else "unknown".
func User(m Machine) string {
	return cmp.Or(m.Getenv("USER"), m.Getenv("LOGNAME"), m.Account, "unknown")
}

// Identify collects what the machine and the environment claim, each in its own field.
func Identify(m Machine) Actor {
	a := Actor{
		Account: m.Account, LoginUID: audit(m.LoginUID), SessionID: audit(m.SessionID),
		SudoUser: m.Getenv("SUDO_USER"), SudoUID: m.Getenv("SUDO_UID"), TTY: m.TTY,
		SSH: m.Getenv("SSH_CONNECTION"), Host: m.Hostname, BootID: m.BootID,
		PID: m.PID, Started: m.Started, Container: m.Container, CI: DetectCI(m.Getenv), Agent: DetectAgent(m.Getenv),
	}
	if m.UID >= 0 {
		a.UID, a.EUID = &m.UID, &m.EUID
	}
	return a
}

// unset is what the kernel says of a process that no login led to.
const unset = 4294967295

// audit reads an id of the kernel's audit system; nil is none.
func audit(text string) *int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n == unset {
		return nil
	}
	return &n
}

// withoutUser drops the user info and the fragment of a URL, and all of its query but a
// build id, since anything there may be a token. A text that is not a URL, such as
// git@host:path, loses everything up to its last @.
func withoutUser(text string) string {
	u, err := url.Parse(text)
	if err == nil && u.Scheme != "" && u.Host != "" {
		id := u.Query().Get("buildId")
		u.User, u.RawQuery, u.Fragment = nil, "", ""
		if id != "" {
			u.RawQuery = url.Values{"buildId": {id}}.Encode()
		}
		return u.String()
	}
	return text[strings.LastIndexByte(text, '@')+1:]
}
