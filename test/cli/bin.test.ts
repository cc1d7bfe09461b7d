import { expect } from 'chai'
import { execFile } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))

describe('bin/lapse', () => {
  let directory: string

  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'lapse-bin-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  it('judges, and ends with the code of the verdict', async () => {
    writeFileSync(join(directory, 'x.yaml'), 'a: [')
    const { code, stderr } = await start(join(repository, 'bin/lapse'), ['check', '-f', 'x.yaml'])
    expect(stderr).to.match(/^x\.yaml:1: unexpected end of the stream/)
    expect(code).to.equal(3)
  })

  it('reads stdin', async () => {
    const { code, stdout } = await start(
      join(repository, 'bin/lapse'),
      ['check', '-f', '-'],
      {},
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n',
    )
    expect(stdout).to.equal('0 objects: 0 denied, 0 warned, 0 allowed, 0 ungoverned\n')
    expect(code).to.equal(0)
  })

  it('is found through links, as npx makes them', async () => {
    mkdirSync(join(directory, '.bin'))
    symlinkSync(join(repository, 'bin/lapse'), join(directory, 'first'))
    symlinkSync('../first', join(directory, '.bin/lapse'))
    const { code, stdout } = await start(join(directory, '.bin/lapse'), ['version'])
    expect(stdout).to.match(/^lapse \d/)
    expect(code).to.equal(0)
  })

  it('keeps compiled code between runs', async () => {
    const env = { XDG_CACHE_HOME: join(directory, 'cache') }
    await start(join(repository, 'bin/lapse'), ['--help'], env)
    expect(readdirSync(join(directory, 'cache/lapse/node'))).to.have.length(1)
  })

  for (const [sentence, env] of [
    ['has no home', { HOME: undefined, XDG_CACHE_HOME: undefined }],
    ['has a home that cannot be written', { HOME: '/proc/nowhere', XDG_CACHE_HOME: undefined }],
    ['has an empty home', { HOME: '', XDG_CACHE_HOME: '' }],
  ] as const) {
    it(`runs where it ${sentence}`, async () => {
      const { code, stdout, stderr } = await start(join(repository, 'bin/lapse'), ['--help'], env)
      expect(stdout).to.match(/usage: lapse COMMAND/)
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    })
  }

  it('leaves no process in between', async () => {
    const root = installed('main.js', 'console.log(process.ppid)')
    const { stdout } = await start(join(root, 'bin/lapse'), [], { PATH: pathWith(`exec ${process.execPath} "$@"`) })
    expect(Number(stdout)).to.equal(process.pid)
  })

  it('runs what was built in place of the sources', async () => {
    const root = installed('main.js', 'console.log(process.argv.slice(2).join("|"))')
    const { stdout } = await start(join(root, 'bin/lapse'), ['a b', '', '*'], {
      PATH: pathWith(`exec ${process.execPath} "$@"`),
    })
    expect(stdout).to.equal('a b||*\n')
  })

  describe('without a Node of its own', () => {
    for (const [sentence, node, message] of [
      [
        'refuses an old one',
        'echo v20.19.4',
        /^lapse: .*\/node is Node\.js v20\.19\.4; version 24 or later is needed\n$/,
      ],
      ['refuses one that says nonsense', 'echo hello', /is Node\.js hello; version 24/],
      ['refuses one that does not start', 'exit 1', /is Node\.js unknown; version 24/],
      ['says when there is none', null, /^lapse: there is no Node\.js on PATH; install version 24 or later\n$/],
    ] as const) {
      it(sentence, async () => {
        const root = installed('main.js', '')
        const { code, stdout, stderr } = await start(join(root, 'bin/lapse'), [], { PATH: pathWith(node) })
        expect(stderr).to.match(message)
        expect({ code, stdout }).to.deep.equal({ code: 70, stdout: '' })
      })
    }

    it('takes the one that was installed beside it', async () => {
      const root = installed('main.js', '')
      mkdirSync(join(directory, 'modules/node/bin'), { recursive: true })
      writeFileSync(join(directory, 'modules/node/bin/node'), '#!/bin/sh\necho beside\n')
      chmodSync(join(directory, 'modules/node/bin/node'), 0o755)
      const { stdout } = await start(join(root, 'bin/lapse'), [], { PATH: pathWith(null) })
      expect(stdout).to.equal('beside\n')
    })
  })

  /** The package as it is installed, with a file in place of its code. */
  function installed(name: string, content: string): string {
    const root = join(directory, 'modules/lapse')
    mkdirSync(join(root, 'dist'), { recursive: true })
    mkdirSync(join(root, 'bin'))
    copyFileSync(join(repository, 'bin/lapse'), join(root, 'bin/lapse'))
    writeFileSync(join(root, 'dist', name), content)
    return root
  }

  /** A PATH with nothing in it but a `node` that runs these lines of sh; null: not even that. */
  function pathWith(node: string | null): string {
    const path = join(directory, 'path')
    mkdirSync(path)
    if (node === null) return path
    writeFileSync(
      join(path, 'node'),
      `#!/bin/sh\n${node.startsWith('exec') ? `[ "$1" = --version ] && echo v24.0.0 && exit\n${node}` : node}\n`,
    )
    chmodSync(join(path, 'node'), 0o755)
    return path
  }

  function start(
    file: string,
    argv: readonly string[],
    env: Readonly<Record<string, string | undefined>> = {},
    input = '',
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
    return new Promise((resolve) => {
      const child = execFile(
        file,
        argv,
        { cwd: directory, timeout: 4_500, env: { ...process.env, ...env } },
        (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      )
      // Some end before they have read it.
      child.stdin?.on('error', () => undefined)
      child.stdin?.end(input)
    })
  }
})
