// Package hook answers coding agents that ask, before they run a shell
// command, whether it would destroy volumes behind our back.
//
//	the agent's JSON -> Question: the command -> Judge -> Verdict -> the agent's JSON
//
// The command is parsed as a shell does it, and its parts are followed
// through sudo, env, xargs, sh -c, pipes, here-documents and simple variables. It
// is judged by what it says; nothing is run and the engine is not asked. What
// cannot be followed is asked about if it names docker, and otherwise ignored.
package hook
