import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { glob, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const sources = join(import.meta.dirname, '../../controlplane')

/** The programs of controlplane/, as files to run. */
export interface ControlPlaneBinary {
  readonly controlplane: string
  readonly oracle: string
}

/**
 * Finds the programs: in the folder that LAPSE_CONTROLPLANE names, else in the user's cache folder under the digest of
 * their sources, else by building them into it. KUBEBUILDER_ASSETS is not asked: what setup-envtest installs has no
 * kube-controller-manager and no helm.
 */
export async function controlPlaneBinary(): Promise<ControlPlaneBinary> {
  const named = process.env['LAPSE_CONTROLPLANE']
  if (named !== undefined) return inFolder(named)
  const folder = join(cacheFolder(), `controlplane-${await sourcesDigest()}`)
  if (!existsSync(folder)) await build(folder)
  return inFolder(folder)
}

function inFolder(folder: string): ControlPlaneBinary {
  const binary = { controlplane: join(folder, 'controlplane'), oracle: join(folder, 'oracle') }
  for (const file of Object.values(binary)) {
    if (!existsSync(file)) throw new Error(`${file} is missing: remove ${folder} to have it built again`)
  }
  return binary
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lapse')
}

/** 12 hex digits over the names and contents of everything that the programs are built from. */
async function sourcesDigest(): Promise<string> {
  const names: string[] = []
  for await (const name of glob(['go.mod', 'go.sum', '**/*.go'], { cwd: sources })) names.push(name)
  const hash = createHash('sha256')
  for (const name of names.sort()) {
    hash.update(`${name}\0`)
    hash.update(await readFile(join(sources, name)))
  }
  return hash.digest('hex').slice(0, 12)
}

/** Built beside the folder and renamed, so that a folder is complete or absent and two builders do not meet. */
async function build(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const unfinished = await mkdtemp(`${folder}.`)
  try {
    progress('building a Kubernetes control plane from controlplane/ into the cache folder, once per change of it;')
    progress('this takes about 5 minutes on 2 cores the first time, seconds after a change of our own files')
    await goBuild('.', join(unfinished, 'controlplane'))
    await goBuild('./oracle', join(unfinished, 'oracle'))
    await rename(unfinished, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error // somebody else was faster: his is as good
    })
    progress('built')
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

async function goBuild(program: string, target: string): Promise<void> {
  const ldflags = `-s -w ${versionFlags(await readFile(join(sources, 'go.mod'), 'utf8'))}`
  const started = Date.now()
  const timer = setInterval(() => progress(`still building, ${Math.round((Date.now() - started) / 1000)} s`), 30_000)
  try {
    await new Promise<void>((resolve, reject) => {
      const go = spawn('go', ['build', '-trimpath', '-ldflags', ldflags, '-o', target, program], {
        cwd: sources,
        env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
        stdio: ['ignore', 2, 2], // stdout is for data, of whoever called us
      })
      go.on('error', (error) =>
        reject(new Error('the control plane needs Go 1.26 or later to be built', { cause: error })),
      )
      go.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`go build ${program} failed (${code})`))))
    })
  } finally {
    clearInterval(timer)
  }
}

/** Without them /version has no numbers, and clients trip over that. */
function versionFlags(goMod: string): string {
  const [, version, major, minor] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/.exec(goMod) ?? []
  if (version === undefined) throw new Error('controlplane/go.mod does not require k8s.io/kubernetes')
  return Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor })
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ')
}

function progress(line: string): void {
  process.stderr.write(`controlplane: ${line}\n`)
}
