package command

import "os"

// passOn has nothing to do. What reaches this program on Windows are events of its
// console (Ctrl-C, Ctrl-Break, the closing of its window, the end of the session),
// and Windows gives these to every program of the console: the command has it
// already, and ends as it likes. One that a killer ends (taskkill /F) is told
// nothing, and neither are we.
func passOn(*os.Process, os.Signal) {}
