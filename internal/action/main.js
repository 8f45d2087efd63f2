'use strict'
// The action's main step: puts ccdestroy on the PATH, brings the stack up where
// that is asked for, and tears down at once, or leaves it to the post step.

const path = require('node:path')
const { addPath, fail, input, output, run, saveState, words } = require('./protocol')
const { install } = require('./install')
const { settings, teardown } = require('./teardown')

async function main () {
  const when = input('teardown')
  if (!['post', 'now', 'never'].includes(when)) throw new Error(`teardown: ${when} is not post, now or never`)
  if (!['true', 'false'].includes(input('up'))) throw new Error(`up: ${input('up')} is not true or false`)
  const s = settings(await install())
  addPath(path.dirname(s.ccdestroy))
  output('ccdestroy', s.ccdestroy)
  // Before anything comes up, so that what an up that fails or is cancelled leaves
  // behind is torn down too.
  if (when === 'post') saveState('teardown', JSON.stringify(s))
  if (input('up') === 'true') {
    const { code } = await run('docker', ['compose', ...s.project, 'up', '--detach', '--wait', ...words(input('up-args'))], s)
    if (code !== 0) return fail(`docker compose up ended with exit code ${code}`, code)
  }
  if (when === 'now') {
    const done = await teardown(s)
    output('exit-code', String(done.code))
    output('log', done.log)
    output('head', done.head)
  }
}

main().catch(err => fail(err.message))
