'use strict'
// Finds ccdestroy, or downloads a release of it.

const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { input, run } = require('./protocol')

const exe = process.platform === 'win32' ? 'ccdestroy.exe' : 'ccdestroy'

// install is the path of the executable: the one that was named, else the one on
// the PATH unless a version is asked for, else a release.
async function install () {
  const named = input('path')
  if (named) {
    const at = path.resolve(named)
    fs.accessSync(at, fs.constants.X_OK)
    return at
  }
  if (!input('version')) {
    for (const dir of (process.env.PATH || '').split(path.delimiter)) {
      const at = path.join(dir, exe)
      if (path.isAbsolute(dir) && fs.existsSync(at)) return at
    }
  }
  return download(input('version') || process.env.GITHUB_ACTION_REF || '')
}

async function download (tag) {
  if (!/^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(tag)) {
    throw new Error(`which release to download is not known (${tag || 'no tag'}): set the input version, such as v1.2.3`)
  }
  const goos = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform]
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch]
  if (!goos || !arch) throw new Error(`there is no release for ${process.platform}/${process.arch}`)
  const archive = `ccdestroy_${tag.slice(1)}_${goos}_${arch}${goos === 'windows' ? '.zip' : '.tar.gz'}`
  const base = `${input('download-from').replace(/\/+$/, '')}/${tag}/`
  const sums = (await get(base + 'SHA256SUMS')).toString()
  const line = sums.split('\n').find(l => l.endsWith('  ' + archive))
  if (!line) throw new Error(`SHA256SUMS of ${tag} does not have ${archive}`)
  const data = await get(base + archive)
  const sum = crypto.createHash('sha256').update(data).digest('hex')
  if (sum !== line.split(' ')[0]) throw new Error(`${archive} is not what SHA256SUMS says: ${sum}`)
  const dir = fs.mkdtempSync(path.join(process.env.RUNNER_TEMP || os.tmpdir(), 'ccdestroy-'))
  fs.writeFileSync(path.join(dir, archive), data)
  // Windows' own tar reads zip, too.
  const { code } = await run('tar', ['-xf', archive, exe], { cwd: dir, capture: true })
  if (code !== 0) throw new Error(`${archive} cannot be unpacked`)
  return path.join(dir, exe)
}

async function get (url) {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`)
  return Buffer.from(await response.arrayBuffer())
}

module.exports = { install }
