'use strict'
// The action's post step: tears down what main left to it, whatever became of the
// job.

const { fail, state } = require('./protocol')
const { teardown } = require('./teardown')

async function post () {
  const left = state('teardown')
  if (!left) return console.log('Nothing was left to tear down.')
  await teardown(JSON.parse(left))
}

post().catch(err => fail(err.message))
