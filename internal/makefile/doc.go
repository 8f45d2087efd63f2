// Package makefile has a Makefile's destroy target tear down through ccdestroy. It
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
// What it does not understand for certain it refuses to change: a recipe with several
// such commands, one that goes over several lines, one that keeps the volumes.
package makefile
