'use strict'
// The teardown, by main (now) or by post.

const fs = require('node:fs')
const path = require('node:path')
const { run, summary, words, fail, input } = require('./protocol')

// settings are the inputs that a teardown needs. Main hands them to post as state,
// since nothing says that post sees the same inputs.
function settings (ccdestroy) {
  const env = {}
  if (input('store')) env.CCDESTROY_STORE = input('store')
  if (input('log')) env.CCDESTROY_LOG = path.resolve(input('working-directory'), input('log'))
  const attempt = process.env.GITHUB_RUN_ATTEMPT > 1 ? `, attempt ${process.env.GITHUB_RUN_ATTEMPT}` : ''
  return {
    ccdestroy,
    env,
    cwd: path.resolve(input('working-directory')),
    project: words(input('project-args')),
    down: words(input('down-args')),
    reason: input('reason') || `run ${process.env.GITHUB_RUN_ID || 'without an id'}${attempt}`,
    copyTo: input('copy-log-to') && path.resolve(input('copy-log-to'))
  }
}

// teardown runs ccdestroy, which writes the step summary and the annotations
// itself, and then proves the log and notes its head. It resolves to the exit code,
// the log's path and its head.
async function teardown (s) {
  const { code } = await run(s.ccdestroy, [...s.project, 'down', ...s.down, '--reason', s.reason], s)
  const done = { code, log: '', head: '' }
  const verify = await run(s.ccdestroy, ['audit', 'verify', '--format', 'json'], { ...s, capture: true })
  try {
    const verdict = JSON.parse(verify.stdout)
    done.log = verdict.path
    done.head = verdict.head
  } catch { /* there is no log, and the exit code says why */ }
  if (done.head) {
    summary(`The audit log is ${verify.code === 0 ? 'intact' : '**not intact**'}. Its head: \`${done.head}\`\n`)
    console.log(`Head of the audit log: ${done.head}`)
  }
  if (s.copyTo && done.log) copy(done.log, done.head, s.copyTo)
  if (verify.code !== 0 && done.head) fail('the audit log is not intact: run ccdestroy audit verify', verify.code)
  if (code !== 0) process.exitCode = code // ccdestroy has made the annotation
  return done
}

// copy puts the log, with the segments that it continues, and its head where a
// later step or somebody else finds them.
function copy (log, head, to) {
  fs.mkdirSync(to, { recursive: true })
  for (const name of fs.readdirSync(path.dirname(log))) {
    if (/^audit.*\.jsonl$/.test(name) || name === path.basename(log)) fs.copyFileSync(path.join(path.dirname(log), name), path.join(to, name))
  }
  fs.writeFileSync(path.join(to, 'head'), head + '\n')
}

module.exports = { settings, teardown }
