// Package makefile makes a Makefile's destroy target tear down through ccdestroy. It
// changes the one command that did so before, or adds the target, and leaves every
// other byte as it is:
//
//	destroy: stop-workers
//		docker compose -f ci.yaml down -v --remove-orphans
//
// becomes
//
//	destroy: stop-workers
//		ccdestroy -f ci.yaml down --remove-orphans
//
// It refuses to change what it does not understand for certain: a recipe with several
// such commands, one that spans several lines, one that keeps the volumes.
package makefile
