import type { KubeConfig, User } from '@kubernetes/client-node'
import { load as parseYaml } from 'js-yaml'
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import type { ExecCommand } from './exec-plugin.ts'

export type KubeConfigClass = new () => KubeConfig

/** A user as the loader leaves it, and what it does not know of. */
export interface LoadedUser extends User {
  readonly exec?: ExecCommand | null
  readonly authProvider?: {
    readonly name: string
    readonly config?: { readonly tokenFile?: string; readonly exec?: ExecCommand }
  } | null
  /** A field that means something and cannot be heeded: who uses this user would be somebody else, or fail. */
  readonly unsupported?: string
}

/** That file; or those of KUBECONFIG that exist, of which there must be one; or ~/.kube/config; none: there is no such file. */
export function kubeConfigFiles(file: string | null): readonly string[] {
  return file === null ? usualFiles() : [file]
}

/** What these files say together. Throws when one cannot be read or is no kubeconfig. */
export function readKubeConfig(Config: KubeConfigClass, files: readonly string[]): KubeConfig {
  const config = new Config()
  for (const path of files) takeOver(config, readFile(Config, path))
  return config
}

function usualFiles(): readonly string[] {
  const named = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  const present = (named.length > 0 ? named : [join(homedir(), '.kube', 'config')]).filter(exists)
  // whoever names a file does not mean the pod
  if (named.length > 0 && present.length === 0) throw new Error('no file that KUBECONFIG names exists')
  return present
}

/** Throws when that cannot be told: a file that may not be looked at is none that is missing. */
function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** What came first stays, as with kubectl: the context, and of two clusters, users or contexts of one name the whole of the first. */
function takeOver(config: KubeConfig, later: KubeConfig): void {
  later.clusters = namedOtherwise(config.clusters, later.clusters)
  later.users = namedOtherwise(config.users, later.users)
  later.contexts = namedOtherwise(config.contexts, later.contexts)
  config.mergeConfig(later, Boolean(config.currentContext))
}

function namedOtherwise<T extends { readonly name: string }>(known: readonly T[], later: readonly T[]): T[] {
  const names = new Set(known.map(({ name }) => name))
  return later.filter(({ name }) => !names.has(name))
}

interface KubeConfigText {
  readonly users?: readonly { readonly name?: string; readonly user?: UserText | null }[] | null
}

interface UserText {
  readonly tokenFile?: string
  readonly 'as-groups'?: unknown
  readonly 'as-uid'?: unknown
  readonly 'as-user-extra'?: unknown
  readonly exec?: {
    readonly command?: string
    readonly provideClusterInfo?: unknown
    readonly interactiveMode?: unknown
  } | null
}

function readFile(Config: KubeConfigClass, path: string): KubeConfig {
  const text = readFileSync(path, 'utf8')
  const config = new Config()
  config.loadFromString(text)
  config.makePathsAbsolute(dirname(path))
  const { users } = parseYaml(text) as KubeConfigText
  const texts = new Map(users?.map(({ name, user }) => [name, user ?? {}]))
  config.users = config.users.map((user) => completed(user, texts.get(user.name) ?? {}, dirname(path)))
  return config
}

/**
 * The loader does not know `tokenFile`: here it becomes what the user of a pod has, and goes before `token`. Nor does it
 * know that an exec plugin may be a path that begins at the kubeconfig, as it does with kubectl when it holds a slash.
 */
function completed(user: LoadedUser, text: UserText, directory: string): LoadedUser {
  const { token: _, ...rest } = user
  const { tokenFile = '', exec } = text
  const command = exec?.command ?? ''
  const unsupported = unsupportedOf(text)
  return {
    ...(tokenFile === '' ? user : rest),
    ...(tokenFile !== '' && {
      authProvider: { name: 'tokenFile', config: { tokenFile: resolve(directory, tokenFile) } },
    }),
    ...(command.includes('/') && { exec: { ...user.exec, command: resolve(directory, command) } }),
    ...(unsupported !== null && { unsupported }),
  }
}

/** Whom `as` brings along, and what an exec plugin is to be told or asks: nobody here can type, or tell it. */
function unsupportedOf({ exec, ...text }: UserText): string | null {
  const field = (['as-groups', 'as-uid', 'as-user-extra'] as const).find((name) => text[name] !== undefined)
  if (field !== undefined) return field
  if (exec?.provideClusterInfo === true) return 'exec.provideClusterInfo: true'
  return exec?.interactiveMode === 'Always' ? 'exec.interactiveMode: Always' : null
}
