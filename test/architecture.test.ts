import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'

/** Source text by path from the repository's root, such as `src/core/time.ts`. */
type Sources = ReadonlyMap<string, string>

interface Import {
  readonly file: string
  /** A path from the repository's root, or the name of a package as it is imported. */
  readonly target: string
}

interface Folder {
  /** Folders under src that it may import beside itself. */
  readonly mayImport: readonly string[]
  /** Packages that it may import; absent: any that is not somebody else's. */
  readonly packages?: readonly string[]
  readonly otherwise: string
}

const ports = ['src/audit/ports.ts', 'src/cluster/ports.ts', 'src/cluster/resources.ts', 'src/cluster/errors.ts']
const seenByPorts = 'say what you need in src/cluster/ports.ts and let src/cli wire it in'

/** What each folder under src may import. `src/main.ts` and src/cli wire everything and so may import everything. */
const folders: Readonly<Record<string, Folder>> = {
  core: {
    mayImport: [],
    packages: [
      'semver/functions/compare.js',
      '@bufbuild/cel',
      '@bufbuild/cel/ext',
      '@bufbuild/protobuf',
      '@bufbuild/protobuf/reflect',
      '@bufbuild/protobuf/wkt',
      're2js',
    ],
    otherwise: 'core is values in, values out; let the caller pass in what it needs',
  },
  api: {
    mayImport: ['core'],
    packages: ['node:crypto', 'canonicalize'],
    otherwise: 'api reads and describes objects, for programs without a cluster too; move what decides to core',
  },
  world: {
    mayImport: ['api', 'core', 'src/cluster/resources.ts'],
    packages: [],
    otherwise: 'the world is told by whoever calls it; let the caller put the objects in',
  },
  runtime: { mayImport: ['core'], otherwise: 'runtime knows nothing of Kubernetes; pass a function or a value in' },
  cluster: {
    mayImport: ['api', 'core', 'runtime'],
    otherwise: 'the adapter serves its ports and decides nothing; move decisions to core, wiring to src/cli',
  },
  audit: {
    mayImport: ['api', 'core', 'runtime'],
    otherwise: 'evidence is kept whatever becomes of the cluster; take what is recorded as a value',
  },
  controllers: { mayImport: ['api', 'core', 'world', 'runtime', ...ports], otherwise: seenByPorts },
  reaper: {
    mayImport: ['api', 'core', 'runtime', ...ports, 'src/controllers/marks.ts'],
    otherwise: 'the reaper stands on bindings alone, whatever becomes of the rest; keep it from needing more',
  },
  scan: { mayImport: ['api', 'core', 'world', 'runtime', ...ports], otherwise: seenByPorts },
  webhook: { mayImport: ['api', 'core', 'world', 'runtime', ...ports], otherwise: seenByPorts },
}

/** Packages that are one folder's own: whoever else wants them wants something of that folder. */
const owners: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['src/cluster/'],
  undici: ['src/cluster/'],
  express: ['src/webhook/', 'src/runtime/'],
  winston: ['src/runtime/log.ts'],
  '@bufbuild/cel': ['src/core/cel/'],
  '@bufbuild/protobuf': ['src/core/cel/'],
  re2js: ['src/core/cel/'],
}

const longest = 300

function breaches(sources: Sources): readonly string[] {
  const imports = [...sources].flatMap(([file, text]) => importsOf(file, text))
  return [
    ...imports.flatMap(wrongDirection),
    ...imports.flatMap(foreignPackage),
    ...cycles(imports),
    ...[...sources].flatMap(tooLong),
  ]
}

function importsOf(file: string, text: string): readonly Import[] {
  const statements = [
    ...text.matchAll(/^(?:import|export)\s[\w\s{},*$]*?from '([^']+)'/gm),
    ...text.matchAll(/^import '([^']+)'/gm),
  ]
  const calls = [...text.matchAll(/\b(?:import|getBuiltinModule)\(\s*'([^']+)'/g)]
  const written = [...text.matchAll(/^import\b(?!\()/gm)].length
  const read = statements.filter(([statement]) => statement.startsWith('import')).length
  if (written !== read) throw new Error(`${file} has ${written} imports, of which this test can read ${read}`)
  return [...statements, ...calls].map(([, target = '']) => ({ file, target: resolve(file, target) }))
}

function resolve(file: string, target: string): string {
  return target.startsWith('.') ? join(file, '..', target) : target
}

function folderOf(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? ''
}

function wrongDirection({ file, target }: Import): readonly string[] {
  const own = folderOf(file)
  const folder = folders[own]
  if (folder === undefined) return []
  const { mayImport, packages, otherwise } = folder
  const allowed = target.startsWith('src/')
    ? [own, ...mayImport].includes(folderOf(target)) || mayImport.includes(target)
    : packages === undefined || packages.includes(target)
  return allowed ? [] : [`${file} must not import ${target}: ${otherwise}`]
}

function foreignPackage({ file, target }: Import): readonly string[] {
  return Object.entries(owners)
    .filter(([name]) => target === name || target.startsWith(`${name}/`))
    .filter(([, places]) => !places.some((place) => file.startsWith(place)))
    .map(
      ([name, places]) =>
        `${file} must not import ${name}: only ${places.join(' and ')} may; use what is exported there`,
    )
}

/** Each cycle once, from its first file in the order of the alphabet. */
function cycles(imports: readonly Import[]): readonly string[] {
  const targets = Map.groupBy(imports, ({ file }) => file)
  const found = new Set<string>()
  const finished = new Set<string>()
  const walk = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file)
    if (start >= 0) found.add(describeCycle(trail.slice(start)))
    if (start >= 0 || finished.has(file)) return
    for (const { target } of targets.get(file) ?? []) walk(target, [...trail, file])
    finished.add(file)
  }
  for (const file of targets.keys()) walk(file, [])
  return [...found]
}

function describeCycle(files: readonly string[]): string {
  const first = files.indexOf([...files].sort()[0] ?? '')
  const round = [...files.slice(first), ...files.slice(0, first + 1)]
  return `${round.join(' → ')} is a cycle: move what both need to a file of its own`
}

function tooLong([file, text]: readonly [string, string]): readonly string[] {
  const lines = text.split('\n').length - 1
  return lines <= longest ? [] : [`${file} has ${lines} lines, more than ${longest}: give each of its concepts a file`]
}

function sourcesOnDisk(): Sources {
  const root = join(import.meta.dirname, '..')
  const paths = globSync('src/**/*.ts', { cwd: root }).sort()
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

describe('the architecture', () => {
  const sources = sourcesOnDisk()

  it('is kept by src', () => expect(breaches(sources)).to.deep.equal([]))

  it('says of every folder of src what it may import', () => {
    const known = ['', 'cli', ...Object.keys(folders)]
    const found = [...new Set([...sources.keys()].map(folderOf))]
    expect(found.filter((folder) => !known.includes(folder))).to.deep.equal([])
  })

  it('is read from the real imports', () => {
    const imports = [...sources].flatMap(([file, text]) => importsOf(file, text))
    expect(imports).to.deep.include({ file: 'src/core/grant/plan.ts', target: 'src/core/grant/decide.ts' })
    expect(imports).to.deep.include({ file: 'src/core/policy/version.ts', target: 'semver/functions/compare.js' })
    const local = imports.filter(({ target }) => target.startsWith('src/') && target.endsWith('.ts'))
    expect(local.filter(({ target }) => !sources.has(target))).to.deep.equal([])
  })
})

describe('the check of the architecture', () => {
  const seenBreaking: readonly (readonly [
    sentence: string,
    sources: Readonly<Record<string, string>>,
    says: string,
  ])[] = [
    [
      'core that knows the API',
      { 'src/core/a.ts': "import type { B } from '../api/b.ts'" },
      'src/core/a.ts must not import src/api/b.ts: core is values in, values out; let the caller pass in what it needs',
    ],
    [
      'core that does I/O',
      { 'src/core/a.ts': "import { readFileSync } from 'node:fs'" },
      'src/core/a.ts must not import node:fs: core is values in, values out; let the caller pass in what it needs',
    ],
    [
      'core that does I/O by a side door',
      { 'src/core/a.ts': "const { hash } = process.getBuiltinModule('node:crypto')" },
      'src/core/a.ts must not import node:crypto: core is values in, values out; let the caller pass in what it needs',
    ],
    [
      'core with another part of a package than the one that is named',
      { 'src/core/a.ts': "import semver from 'semver'" },
      'src/core/a.ts must not import semver: core is values in, values out; let the caller pass in what it needs',
    ],
    [
      'core that passes on what is not its own',
      { 'src/core/a.ts': "export * from '../runtime/b.ts'" },
      'src/core/a.ts must not import src/runtime/b.ts: core is values in, values out; let the caller pass in what it needs',
    ],
    [
      'an API that looks at the world',
      { 'src/api/v1alpha1/a.ts': "import {\n  b,\n} from '../../world/b.ts'" },
      'src/api/v1alpha1/a.ts must not import src/world/b.ts: api reads and describes objects, for programs without a cluster too; move what decides to core',
    ],
    [
      'an API with I/O',
      { 'src/api/a.ts': "import 'node:fs'" },
      'src/api/a.ts must not import node:fs: api reads and describes objects, for programs without a cluster too; move what decides to core',
    ],
    [
      'a world that reads the cluster',
      { 'src/world/a.ts': "import { b } from '../cluster/ports.ts'" },
      'src/world/a.ts must not import src/cluster/ports.ts: the world is told by whoever calls it; let the caller put the objects in',
    ],
    [
      'a runtime that knows the API',
      { 'src/runtime/a.ts': "import { b } from '../api/b.ts'" },
      'src/runtime/a.ts must not import src/api/b.ts: runtime knows nothing of Kubernetes; pass a function or a value in',
    ],
    [
      'a cluster that knows a controller',
      { 'src/cluster/a.ts': "import { b } from '../controllers/b.ts'" },
      'src/cluster/a.ts must not import src/controllers/b.ts: the adapter serves its ports and decides nothing; move decisions to core, wiring to src/cli',
    ],
    [
      'a controller that knows the transport',
      { 'src/controllers/x/a.ts': "import { b } from '../../cluster/transport.ts'" },
      'src/controllers/x/a.ts must not import src/cluster/transport.ts: say what you need in src/cluster/ports.ts and let src/cli wire it in',
    ],
    [
      'a webhook that knows a controller',
      { 'src/webhook/a.ts': "const b = await import('../controllers/b.ts')" },
      'src/webhook/a.ts must not import src/controllers/b.ts: say what you need in src/cluster/ports.ts and let src/cli wire it in',
    ],
    [
      'a Kubernetes client outside of src/cluster',
      { 'src/cli/a.ts': "import { KubeConfig } from '@kubernetes/client-node'" },
      'src/cli/a.ts must not import @kubernetes/client-node: only src/cluster/ may; use what is exported there',
    ],
    [
      'part of a package that is not its own',
      { 'src/cli/a.ts': "import b from 'undici/lib/b.js'" },
      'src/cli/a.ts must not import undici: only src/cluster/ may; use what is exported there',
    ],
    [
      'express in a controller',
      { 'src/controllers/a.ts': "import express from 'express'" },
      'src/controllers/a.ts must not import express: only src/webhook/ and src/runtime/ may; use what is exported there',
    ],
    [
      'winston beside the log',
      { 'src/runtime/queue.ts': "import { createLogger } from 'winston'" },
      'src/runtime/queue.ts must not import winston: only src/runtime/log.ts may; use what is exported there',
    ],
    [
      'a CEL engine outside of src/core/cel',
      { 'src/core/policy/a.ts': "import { parse } from '@bufbuild/cel'" },
      'src/core/policy/a.ts must not import @bufbuild/cel: only src/core/cel/ may; use what is exported there',
    ],
    [
      'regular expressions of RE2 outside of src/core/cel',
      { 'src/webhook/a.ts': "import { RE2JS } from 're2js'" },
      'src/webhook/a.ts must not import re2js: only src/core/cel/ may; use what is exported there',
    ],
    [
      'two files that need each other, if only for types',
      { 'src/core/b.ts': "import { a } from './a.ts'", 'src/core/a.ts': "import type { B } from './b.ts'" },
      'src/core/a.ts → src/core/b.ts → src/core/a.ts is a cycle: move what both need to a file of its own',
    ],
    [
      'a longer round',
      {
        'src/cli/a.ts': "import './b.ts'",
        'src/cli/b.ts': "import './c.ts'",
        'src/cli/c.ts': "import './b.ts'",
      },
      'src/cli/b.ts → src/cli/c.ts → src/cli/b.ts is a cycle: move what both need to a file of its own',
    ],
    [
      'a file that is too long',
      { 'src/cli/a.ts': '\n'.repeat(301) },
      'src/cli/a.ts has 301 lines, more than 300: give each of its concepts a file',
    ],
  ]
  for (const [sentence, sources, says] of seenBreaking) {
    it(`finds ${sentence}`, () => expect(breaches(new Map(Object.entries(sources)))).to.deep.equal([says]))
  }

  it('finds nothing in what is allowed', () => {
    const sources = {
      'src/core/policy/version.ts': "import compare from 'semver/functions/compare.js'",
      'src/core/a.ts': `import type { B } from './rbac/b.ts'${'\n'.repeat(300)}`,
      'src/api/a.ts': "import { createHash } from 'node:crypto'\nimport { b } from '../core/b.ts'",
      'src/world/a.ts': "import { b } from '../api/b.ts'\nimport { c } from '../core/c.ts'",
      'src/cluster/a.ts': "import { Agent } from 'undici'\nimport type { Clock } from '../runtime/clock.ts'",
      'src/controllers/a.ts': "import type { B } from '../cluster/ports.ts'\nimport { c } from '../world/c.ts'",
      'src/webhook/a.ts': "import express, { type Express } from 'express'",
      'src/runtime/log.ts': "import { createLogger } from 'winston'",
      'src/cli/a.ts': "import { b } from '../cluster/transport.ts'\nimport { c } from '../controllers/c.ts'",
      'src/main.ts': "import { a } from './cli/a.ts'",
    }
    expect(breaches(new Map(Object.entries(sources)))).to.deep.equal([])
  })

  it('refuses to guess at an import that it cannot read', () => {
    const sources = new Map([['src/core/a.ts', 'import b = require("../api/b.ts")']])
    expect(() => breaches(sources)).to.throw('src/core/a.ts has 1 imports, of which this test can read 0')
  })
})
