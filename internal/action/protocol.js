'use strict'
// What a JavaScript action and the runner tell each other, without a library:
// inputs and state come as variables, and state, outputs, the PATH and the step
// summary go into files whose names are variables.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions

const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const { spawn } = require('node:child_process')

// input is the value of an input, trimmed; action.yml has the defaults.
function input (name) {
  return (process.env['INPUT_' + name.replace(/ /g, '_').toUpperCase()] || '').trim()
}

// append adds to one of the runner's files; without a runner nobody is told.
function append (variable, text) {
  const file = process.env[variable]
  if (file) fs.appendFileSync(file, text + os.EOL)
}

// pair is a name and a value that may have several lines. The mark cannot be
// guessed, so that no value can end early and say something else.
function pair (name, value) {
  const mark = 'end_' + crypto.randomUUID()
  return [name + '<<' + mark, value, mark].join(os.EOL)
}

const saveState = (name, value) => append('GITHUB_STATE', pair(name, value))
const state = name => process.env['STATE_' + name] || ''
const output = (name, value) => append('GITHUB_OUTPUT', pair(name, value))
const addPath = dir => append('GITHUB_PATH', dir)
const summary = text => append('GITHUB_STEP_SUMMARY', text)

// escaped is a text as the data of a command in the job's log.
const escaped = text => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')

// fail marks the step as failed, with an annotation.
function fail (text, code = 1) {
  console.log('::error title=ccdestroy::' + escaped(text))
  process.exitCode = code
}

// run starts a command with the job's own output, and resolves to its exit code.
// A job that is cancelled sends signals to this process alone: they are passed on,
// and the command is waited for, since it has a record to write. With capture its
// standard output is resolved as well, and not shown.
function run (command, args, { cwd, env, capture = false } = {}) {
  if (!capture) console.log('[command]' + [command, ...args].join(' '))
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'] })
    const pass = signal => child.kill(signal)
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    signals.forEach(s => process.on(s, pass))
    let stdout = ''
    if (capture) child.stdout.on('data', data => { stdout += data })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      signals.forEach(s => process.removeListener(s, pass))
      resolve({ code: code ?? 128 + (os.constants.signals[signal] || 0), stdout })
    })
  })
}

// words splits arguments as a shell does with plain words and quotes; nothing is
// expanded, and no shell runs.
function words (text) {
  const found = []
  const word = /(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|([^\s"'\\]))/gsy
  let current = null
  let at = 0
  while (at < text.length) {
    if (/\s/.test(text[at])) {
      if (current !== null) found.push(current)
      current = null
      at++
      continue
    }
    word.lastIndex = at
    const m = word.exec(text)
    if (!m) throw new Error('an open quote in: ' + text)
    current = (current ?? '') + (m[1] !== undefined ? m[1].replace(/\\(.)/gs, '$1') : m[2] ?? m[3] ?? m[4])
    at = word.lastIndex
  }
  if (current !== null) found.push(current)
  return found
}

module.exports = { input, saveState, state, output, addPath, summary, fail, run, words }
