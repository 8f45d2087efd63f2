package guard

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/contextcore/ccdestroy/internal/durable"
	"github.com/contextcore/ccdestroy/internal/fault"
)

const (
	socketUnit  = "ccdestroy-guard.socket"
	serviceUnit = "ccdestroy-guard.service"
)

// socketText: systemd holds the socket, so that the engine always finds something
// there, whatever happens to the process. Where nobody listens none is left: the engine
// would wait for it at every list of volumes.
const socketText = `[Unit]
Description=Socket of the guard of the Docker Engine
Before=docker.service

[Socket]
ListenStream=%s
SocketMode=0600
DirectoryMode=0755
RemoveOnStop=yes

[Install]
WantedBy=sockets.target docker.service
`

// serviceText: without a log of the settings' or the command line's it records
// below its own directory. Heads of logs are noted for an account, which is root.
const serviceText = `[Unit]
Description=Guard of the Docker Engine (ccdestroy)
Requires=%s
StartLimitIntervalSec=0

[Service]
ExecStart=%s
Restart=always
RestartSec=200ms
WatchdogSec=30
NotifyAccess=main
StateDirectory=ccdestroy
StateDirectoryMode=0700
WorkingDirectory=/var/lib/ccdestroy
Environment=HOME=/root
`

func (s Setup) unitPaths() []string {
	return []string{filepath.Join(s.Units, socketUnit), filepath.Join(s.Units, serviceUnit)}
}

// start writes the units and has systemd listen. A guard that runs already is restarted:
// it would go on with its old command. Calls wait, since systemd holds the socket.
func (s Setup) start(ctx context.Context) error {
	if s.Units == "" {
		return nil
	}
	if _, err := exec.LookPath("systemctl"); err != nil {
		return fault.Refused("--no-units, with ccdestroy guard running before the engine starts", "there is no systemd here")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := append([]string{self, "guard", "--socket", s.Socket}, s.Flags...)
	texts := []string{fmt.Sprintf(socketText, specified.Replace(s.Socket)), fmt.Sprintf(serviceText, socketUnit, execLine(command))}
	for i, path := range s.unitPaths() {
		if err := durable.ReplaceFile(path, []byte(texts[i]), 0o644); err != nil {
			return err
		}
	}
	return errors.Join(systemctl(ctx, "daemon-reload"), systemctl(ctx, "enable", "--now", socketUnit), systemctl(ctx, "try-restart", serviceUnit))
}

// specified is a path in which systemd expands nothing.
var specified = strings.NewReplacer("%", "%%")

// execLine is a command as a unit has it: every word in double quotes, in which
// systemd expands nothing either.
func execLine(words []string) string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$", "\n", `\n`)
	var line []string
	for _, word := range words {
		line = append(line, `"`+quoted.Replace(word)+`"`)
	}
	return strings.Join(line, " ")
}

// stop removes them.
func (s Setup) stop(ctx context.Context) error {
	if s.Units == "" {
		return nil
	}
	errs := []error{systemctl(ctx, "disable", "--now", socketUnit), systemctl(ctx, "stop", serviceUnit)}
	for _, path := range s.unitPaths() {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, systemctl(ctx, "daemon-reload"))...)
}

func systemctl(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
