import { join } from 'node:path'

import type { KubeObject } from './admin-api.ts'

/** Names a folder with the image's files in place of the repository. */
export const imageRootVariable = 'LAPSE_TEST_IMAGE'

/** Where the image's files are, which is its workdir. */
export const imageRoot = (): string => process.env[imageRootVariable] ?? join(import.meta.dirname, '../..')

/** What the image would run without a command. */
export const entrypoint = (): string => join(imageRoot(), 'bin/lapse')

/** The image's own environment. */
const imageEnvironment = (): Environment => ({
  PATH: `${join(imageRoot(), 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
})

type Environment = Readonly<Record<string, string>>

export interface PodIdentity {
  readonly name: string
  readonly namespace: string
  readonly serviceAccountName: string
}

export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } }
}

/**
 * The container's environment as the kubelet makes it: each value may name the variables before it. `cluster` are the
 * variables of the API server's Service, `extra` wins over everything.
 */
export function containerEnvironment(
  container: KubeObject,
  pod: PodIdentity,
  cluster: Environment,
  extra: Environment,
): Environment {
  if (container['envFrom'] !== undefined) throw new Error('envFrom is not played here')
  const environment: Record<string, string> = { ...imageEnvironment(), ...cluster }
  for (const variable of (container['env'] ?? []) as readonly EnvVar[]) {
    const value = variable.valueFrom === undefined ? (variable.value ?? '') : fieldValue(variable, pod)
    environment[variable.name] = variable.valueFrom === undefined ? expand(value, environment) : value
  }
  return { ...environment, ...extra }
}

function fieldValue({ name, valueFrom }: EnvVar, pod: PodIdentity): string {
  const values: Environment = {
    'metadata.name': pod.name,
    'metadata.namespace': pod.namespace,
    'spec.serviceAccountName': pod.serviceAccountName,
  }
  const value = values[valueFrom?.fieldRef?.fieldPath ?? '']
  if (value === undefined) throw new Error(`variable ${name}: ${JSON.stringify(valueFrom)} is not played here`)
  return value
}

/** The container's command line; `command` takes the place of the image's entrypoint. */
export function containerCommand(container: KubeObject, environment: Environment): readonly string[] {
  if (container['workingDir'] !== undefined) throw new Error('workingDir is not played here')
  const command = (container['command'] ?? []) as readonly string[]
  const args = (container['args'] ?? []) as readonly string[]
  return [...(command.length > 0 ? command : [entrypoint()]), ...args].map((part) => expand(part, environment))
}

/** $(NAME) by the variable's value, $$ by $; a name that is not known stays as it is. */
export function expand(text: string, environment: Environment): string {
  return text.replaceAll(/\$(\$|\(([^)]*)\))/g, (whole, inner: string, name: string) =>
    inner === '$' ? '$' : (environment[name] ?? whole),
  )
}
