import type { KubeConfig } from '@kubernetes/client-node'
import { load as parseYaml } from 'js-yaml'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'

export type KubeConfigClass = new () => KubeConfig

/**
 * One file, or those of KUBECONFIG, or ~/.kube/config, or else what a pod has; http://localhost:8080 when there is
 * none of these. Throws when a file cannot be read or is no kubeconfig.
 */
export function readKubeConfig(Config: KubeConfigClass, file: string | undefined): KubeConfig {
  const files = file === undefined ? usualFiles() : [file]
  const config = new Config()
  if (files.length === 0) config.loadFromDefault()
  // the first file that names a context decides, as with kubectl
  for (const path of files) config.mergeConfig(readFile(Config, path), Boolean(config.currentContext))
  return config
}

function usualFiles(): readonly string[] {
  const named = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  return named.length > 0 ? named : [join(homedir(), '.kube', 'config')].filter((path) => existsSync(path))
}

interface KubeConfigText {
  readonly users?: readonly { readonly name?: string; readonly user?: UserText | null }[] | null
}

interface UserText {
  readonly tokenFile?: string
  readonly 'as-groups'?: unknown
  readonly 'as-uid'?: unknown
  readonly 'as-user-extra'?: unknown
}

/**
 * The loader does not know `tokenFile`: here it becomes what the user of a pod has, and goes before `token`. Nor does it know
 * whom `as` brings along: a kubeconfig that says so is refused, rather than used as somebody else.
 */
function readFile(Config: KubeConfigClass, path: string): KubeConfig {
  const text = readFileSync(path, 'utf8')
  const config = new Config()
  config.loadFromString(text)
  config.makePathsAbsolute(dirname(path))
  const { users } = parseYaml(text) as KubeConfigText
  for (const { name = '', user } of users ?? []) {
    const unknown = (['as-groups', 'as-uid', 'as-user-extra'] as const).find((field) => user?.[field] !== undefined)
    if (unknown !== undefined) throw new Error(`${unknown} of user ${name} is not supported`)
  }
  const tokenFiles = new Map(users?.map(({ name, user }) => [name, user?.tokenFile ?? '']))
  config.users = config.users.map((user) => {
    const named = tokenFiles.get(user.name) ?? ''
    if (named === '') return user
    const { token: _, ...rest } = user
    return { ...rest, authProvider: { name: 'tokenFile', config: { tokenFile: resolve(dirname(path), named) } } }
  })
  return config
}
