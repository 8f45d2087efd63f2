// Package terminal asks questions on the controlling terminal, so that a
// redirected standard input cannot answer them, and lets one process at a time
// ask there.
package terminal
