import { expect } from 'chai'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeOptions, type OptionTable, readConfig, UsageError, wantsHelp } from '../../src/runtime/config.ts'
import { run } from '../support/command.ts'

const table = {
  logLevel: { kind: 'string', choices: ['info', 'debug'], default: 'info', description: 'how much is logged' },
  name: { kind: 'string', default: null, description: 'a name' },
  port: {
    kind: 'integer',
    minimum: 0,
    maximum: 65_535,
    default: 8_080,
    description: 'the port of the health endpoints',
  },
  grace: { kind: 'duration', default: '30s', description: 'the time for an orderly end' },
  dryRun: { kind: 'boolean', default: false, description: 'changes nothing' },
  file: { kind: 'list', short: 'f', default: [], description: 'files or directories' },
} as const satisfies OptionTable

async function refusal(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const failure = await readConfig(table, { argv, env }).catch((error: unknown) => error)
  expect(failure).to.be.instanceOf(UsageError)
  return (failure as UsageError).message
}

describe('the configuration', () => {
  let directory: string

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lapse-config-'))
  })
  after(() => rm(directory, { recursive: true }))

  async function write(content: string): Promise<string> {
    const path = join(directory, 'lapse.yaml')
    await writeFile(path, content)
    return path
  }

  it('is made of defaults when nothing is said', async () => {
    expect(await readConfig(table, { argv: [], env: {} })).to.deep.equal({
      logLevel: 'info',
      name: null,
      port: 8_080,
      grace: 30_000,
      dryRun: false,
      file: [],
      arguments: [],
    })
  })

  it('has the types of its table', async () => {
    const config = await readConfig(table, { argv: [], env: {} })
    const level: 'info' | 'debug' = config.logLevel
    const name: string | null = config.name
    const numbers: readonly number[] = [config.port, config.grace]
    const files: readonly string[] = config.file
    expect([level, name, numbers.length, files.length, config.dryRun]).to.deep.equal(['info', null, 2, 0, false])
  })

  it('prefers flags to the environment, the environment to the file and the file to defaults', async () => {
    const path = await write('logLevel: debug\nport: 1\nname: from-file\ngrace: 1m\nfile: [a, b]\n')
    const env = { LAPSE_CONFIG: path, LAPSE_PORT: '2', LAPSE_NAME: 'from-env' }
    const config = await readConfig(table, { argv: ['--port', '3'], env })
    expect(config).to.deep.include({ port: 3, name: 'from-env', logLevel: 'debug', grace: 60_000, dryRun: false })
    expect(config.file).to.deep.equal(['a', 'b'])
    expect((await readConfig(table, { argv: [`--config=${path}`], env: {} })).name).to.equal('from-file')
  })

  it('cannot be changed', async () => {
    const config = await readConfig(table, { argv: ['-f', 'a'], env: {} })
    expect(Object.isFrozen(config) && Object.isFrozen(config.file) && Object.isFrozen(config.arguments)).to.equal(true)
  })

  const spellings: readonly (readonly [readonly string[], object])[] = [
    [['--port=9'], { port: 9 }],
    [['--port', '9', '--port', '10'], { port: 10 }],
    [['--dry-run'], { dryRun: true }],
    [['--dry-run=false'], { dryRun: false }],
    [['--dry-run', '--no-dry-run'], { dryRun: false }],
    [['-f', 'a,b', '--file', 'c'], { file: ['a', 'b', 'c'] }],
    [['-f', '-'], { file: ['-'] }],
    [['--name=a=b'], { name: 'a=b' }],
    [['--grace', '1h30m'], { grace: 5_400_000 }],
    [['--port', '0'], { port: 0 }],
    [['--port', '65535'], { port: 65_535 }],
  ]
  for (const [argv, expected] of spellings) {
    it(`understands ${argv.join(' ')}`, async () => {
      expect(await readConfig(table, { argv, env: {} })).to.deep.include(expected)
    })
  }

  it('takes a variable that is set to nothing as not set', async () => {
    expect((await readConfig(table, { argv: [], env: { LAPSE_PORT: '' } })).port).to.equal(8_080)
  })

  const refusals: readonly (readonly [readonly string[], string])[] = [
    [['--prot', '1'], 'unknown flag --prot; --help lists the flags there are'],
    [['-x'], 'unknown flag -x; --help lists the flags there are'],
    [['--logLevel', 'info'], 'unknown flag --logLevel; --help lists the flags there are'],
    [['--no-port'], 'unknown flag --no-port; --help lists the flags there are'],
    [['--port'], '--port needs a value'],
    [['--port', '--dry-run'], '--port needs a value'],
    [['--port', 'http'], '--port: expected an integer from 0 to 65535, not "http"'],
    [['--port', '65536'], '--port: expected an integer from 0 to 65535, not "65536"'],
    [['--port', '-1'], '--port: expected an integer from 0 to 65535, not "-1"'],
    [['--port', '1.5'], '--port: expected an integer from 0 to 65535, not "1.5"'],
    [['--port='], '--port: expected an integer from 0 to 65535, not ""'],
    [['--grace', '30'], '--grace: expected a duration such as 1h30m, not "30"'],
    [['--log-level=loud'], '--log-level: expected one of info, debug, not "loud"'],
    [['--dry-run=yes'], '--dry-run: expected true or false, not "yes"'],
    [['--no-dry-run=true'], '--no-dry-run takes no value'],
    [['stray'], 'unexpected argument stray'],
    [['--', '--port'], 'unexpected argument --port'],
    [
      ['--config', '/nonexistent.yaml'],
      "--config: cannot read /nonexistent.yaml: ENOENT: no such file or directory, open '/nonexistent.yaml'",
    ],
  ]
  for (const [argv, message] of refusals) {
    it(`refuses ${argv.join(' ')}: ${message}`, async () => {
      expect(await refusal(argv)).to.equal(message)
    })
  }

  it('refuses a bad value in the environment and names the variable', async () => {
    expect(await refusal([], { LAPSE_DRY_RUN: '1' })).to.equal('LAPSE_DRY_RUN: expected true or false, not "1"')
  })

  const files: readonly (readonly [string, string])[] = [
    ['prot: 1', 'unknown option prot in FILE'],
    ['config: other.yaml', 'unknown option config in FILE'],
    ['port: many', 'port in FILE: expected an integer from 0 to 65535, not "many"'],
    ['port: [1]', 'port in FILE: expected an integer from 0 to 65535'],
    ['file: [1, 2]', 'file in FILE: expected a list, separated by commas'],
    ['constructor: 1', 'unknown option constructor in FILE'],
    ['port: 1\n---\nport: 2', '--config: FILE is not a mapping of options'],
    ['- port', '--config: FILE is not a mapping of options'],
    ['just text', '--config: FILE is not a mapping of options'],
  ]
  for (const [content, message] of files) {
    it(`refuses a file with ${JSON.stringify(content)}`, async () => {
      const path = await write(content)
      expect((await refusal(['--config', path])).replace(path, 'FILE')).to.equal(message)
    })
  }

  it('refuses a file that says a thing twice', async () => {
    expect(await refusal(['--config', await write('port: 1\nport: 2\n')])).to.match(
      /^--config: cannot read .*duplicated/,
    )
  })

  it('accepts a file that is empty or leaves things open', async () => {
    for (const content of ['', '# nothing\n', 'port:\n']) {
      expect((await readConfig(table, { argv: ['--config', await write(content)], env: {} })).port).to.equal(8_080)
    }
  })

  describe('with arguments', () => {
    const words = { minimum: 1, maximum: 2, name: 'GRANT' }
    it('keeps them in their order, flags between them or not', async () => {
      const argv = ['one', '--port', '1', '--', '--two']
      const config = await readConfig(table, { argv, env: {}, arguments: words })
      expect(config.arguments).to.deep.equal(['one', '--two'])
    })
    for (const [argv, message] of [
      [[], 'GRANT is missing'],
      [['a', 'b', 'c'], 'unexpected argument c'],
    ] as const) {
      it(`refuses ${argv.length} of them`, async () => {
        const failure = await readConfig(table, { argv, env: {}, arguments: words }).catch((error: unknown) => error)
        expect((failure as Error).message).to.equal(message)
      })
    }
  })

  it('describes every option in one line: flag, variable, meaning, what is accepted, default', () => {
    expect(describeOptions(table).split('\n')).to.deep.equal([
      '  --log-level STRING  LAPSE_LOG_LEVEL  how much is logged (one of info, debug; default info)',
      '  --name STRING       LAPSE_NAME       a name',
      '  --port INTEGER      LAPSE_PORT       the port of the health endpoints (an integer from 0 to 65535; default 8080)',
      '  --grace DURATION    LAPSE_GRACE      the time for an orderly end (a duration such as 1h30m; default 30s)',
      '  --dry-run           LAPSE_DRY_RUN    changes nothing (default false)',
      '  -f, --file LIST     LAPSE_FILE       files or directories (a list, separated by commas)',
      '  --config STRING     LAPSE_CONFIG     a YAML file with values for these options',
      '',
    ])
  })

  it('knows a call for help from a word that looks like it', () => {
    expect([['--help'], ['x', '-h'], ['--', '--help'], []].map(wantsHelp)).to.deep.equal([true, true, false, false])
  })

  it('is light: neither logging nor the Kubernetes client nor YAML is loaded with it', async () => {
    const loaded = await run(
      process.execPath,
      ['--import', loaderOfNames, '--input-type=module', '-e', "await import('./src/runtime/config.ts')"],
      {
        cwd: new URL('../..', import.meta.url).pathname,
      },
    )
    expect(loaded.stderr + loaded.stdout).to.contain('runtime/config.ts')
    expect(loaded.stderr + loaded.stdout).not.to.match(/winston|client-node|js-yaml|prom-client/)
  })
})

/** A preloaded module that prints the URL of each module that is loaded. */
const loaderOfNames = `data:text/javascript,import{registerHooks}from'node:module';registerHooks({load(url,context,next){process.stdout.write(url+'\\n');return next(url,context)}})`
