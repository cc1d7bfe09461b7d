import { expect } from 'chai'
import { readdirSync, readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'
import { commands, reportFailure, runCommand } from '../../src/cli/commands.ts'
import { lapse } from './fake-io.ts'

describe('lapse', () => {
  for (const [sentence, argv, code, stdout, stderr] of [
    [
      'lists the commands',
      ['--help'],
      0,
      /^lapse gives machine identities[\s\S]* {2}check {7}the webhook's verdict on files/,
      /^$/,
    ],
    ['lists them on -h', ['-h'], 0, /usage: lapse COMMAND/, /^$/],
    ['lists them as help', ['help'], 0, /usage: lapse COMMAND/, /^$/],
    ['lists them on stderr when it is told nothing', [], 2, /^$/, /usage: lapse COMMAND/],
    ['helps with one command', ['help', 'check'], 0, /^usage: lapse check -f PATH…/, /^$/],
    [
      'guesses what was meant',
      ['chekc'],
      2,
      /^$/,
      /^lapse: there is no command "chekc"; did you mean lapse check\?\n$/,
    ],
    [
      'does not guess wildly',
      ['frobnicate'],
      2,
      /^$/,
      /^lapse: there is no command "frobnicate"; commands: approve, audit, check, controller, deny, grants, install, reaper, request, review, revoke, scan, version, webhook, who, why\n$/,
    ],
    ['knows no command by inheritance', ['constructor'], 2, /^$/, /there is no command "constructor"/],
    [
      'tells its version on --version',
      ['--version'],
      0,
      /^lapse \d+\.\d+\.\d+\nsha256:[0-9a-f]{64}\nNode\.js v\d+/,
      /^$/,
    ],
    [
      'refuses an option that the version does not take',
      ['version', '--live'],
      2,
      /^$/,
      /^lapse version: Unknown option '--live'/,
    ],
    ['refuses another format of the version', ['version', '-o', 'yaml'], 2, /^$/, /--output must be text or json/],
    ['asks what to install', ['install'], 2, /^$/, /say what to install: lapse install crds; see lapse install --help/],
    ['installs nothing else', ['install', 'crds', 'more'], 2, /^$/, /say what to install/],
    ['prints CRDs as YAML only', ['install', 'crds', '-o', 'json'], 2, /^$/, /--output must be yaml, not "json"/],
    ['helps to install', ['install', '--help'], 0, /^usage: lapse install crds/, /^$/],
  ] as const) {
    it(sentence, async () => {
      const outcome = await lapse(argv)
      expect(outcome.stdout).to.match(stdout)
      expect(outcome.stderr).to.match(stderr)
      expect(outcome.code).to.equal(code)
    })
  }

  it('helps with every command', async () => {
    for (const name of Object.keys(commands)) {
      const outcome = await lapse([name, '--help'])
      expect(outcome, name).to.include({ code: 0, stderr: '' })
      expect(outcome.stdout, name).to.match(new RegExp(`^usage: lapse ${name}`))
    }
  })

  it('prints every CRD, as they are in the repository', async () => {
    const { code, stdout } = await lapse(['install', 'crds', '--output', 'yaml'])
    const crds = new URL('../../crds/', import.meta.url)
    const expected = readdirSync(crds)
      .sort()
      .flatMap((name) => loadAll(readFileSync(new URL(name, crds), 'utf8')))
    expect(expected.length).to.be.greaterThan(2)
    expect(loadAll(stdout)).to.deep.equal(expected)
    expect(code).to.equal(0)
  })

  it('tells its version as JSON, and the same digest each time', async () => {
    const outcomes = await Promise.all([lapse(['version', '-o', 'json']), lapse(['version', '-o', 'json'])])
    const [first, second] = outcomes.map(
      ({ stdout }) => JSON.parse(stdout) as { readonly version: string; readonly digest: string },
    )
    expect(first).to.deep.equal(second)
    expect(first!.digest).to.match(/^sha256:[0-9a-f]{64}$/)
  })

  describe('fails on an exception', () => {
    const failure = new Error('first line\nsecond line')
    for (const [sentence, env, stderr] of [
      ['in one line', {}, /^lapse check: a defect in lapse: first line \(LAPSE_DEBUG=1 shows where\)\n$/],
      [
        'with the stack for those who ask',
        { LAPSE_DEBUG: '1' },
        /shows where\)\nError: first line\nsecond line\n {4}at /,
      ],
    ] as const) {
      it(sentence, async () => {
        let written = ''
        const output = { write: (text: string) => void (written += text), isTerminal: false }
        const broken = () => Promise.reject(failure)
        const io = { stdout: output, stderr: output, stdin: broken, ask: broken, env, cwd: '/', now: () => 0 }
        expect(reportFailure('check', failure, io)).to.equal(70)
        expect(written).to.match(stderr)
        written = ''
        const code = await runCommand(['version'], {
          ...io,
          stdout: {
            ...output,
            write: () => {
              throw failure
            },
          },
        })
        expect(code).to.equal(70)
        expect(written).to.match(/^lapse version: a defect in lapse: first line/)
      })
    }
  })
})
