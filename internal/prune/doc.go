// Package prune removes volumes that nothing uses: those that docker volume
// prune would take on this version of the engine, but one by one, so that what
// goes is what was shown, and recorded. A volume that appears, or comes into use,
// meanwhile stays.
package prune
