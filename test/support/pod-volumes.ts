import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { ApiError, type AdminApi, type KubeObject } from './admin-api.ts'
import { eventually } from './eventually.ts'
import type { PodIdentity } from './pod-container.ts'

const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount'

export interface Mount {
  /** A directory of this machine. */
  readonly source: string
  /** Its place in the container, below /run or /var/run. */
  readonly target: string
}

type Files = Readonly<Record<string, string | Buffer>>

/** The volumes of one pod's first container, written below a directory of this machine. */
export class PodVolumes {
  readonly #admin: AdminApi
  readonly #pod: PodIdentity
  readonly #spec: KubeObject
  readonly #directory: string

  constructor(admin: AdminApi, pod: PodIdentity, spec: KubeObject, directory: string) {
    this.#admin = admin
    this.#pod = pod
    this.#spec = spec
    this.#directory = directory
  }

  /**
   * Fetches and writes everything, each file replaced in one step; waits for what is missing, as a kubelet does. An
   * emptyDir outside /run is the machine's own directory of that name.
   */
  async sync(): Promise<readonly Mount[]> {
    const mounts: Mount[] = []
    for (const { name, mountPath, subPath } of await this.#volumeMounts()) {
      const volume = this.#volume(name)
      if (subPath !== undefined) throw new Error(`volume ${name}: subPath is not played here`)
      if (volume['emptyDir'] !== undefined && !/^(\/var)?\/run\//.test(mountPath)) continue
      const source = join(this.#directory, name)
      await mkdir(source, { recursive: true })
      const files = await eventually(`volume ${name} can be mounted`, () => this.#files(volume), 30_000)
      for (const [path, content] of Object.entries(files)) await replaceFile(join(source, path), content)
      mounts.push({ source, target: mountPath })
    }
    return mounts
  }

  async #volumeMounts(): Promise<readonly { name: string; mountPath: string; subPath?: string }[]> {
    const mounts = this.#spec['containers'][0].volumeMounts ?? []
    if (mounts.some(({ mountPath }: { mountPath: string }) => mountPath === tokenPath)) return mounts
    if (!(await this.#automountsToken())) return mounts
    return [...mounts, { name: automounted.name, mountPath: tokenPath }]
  }

  async #automountsToken(): Promise<boolean> {
    const { namespace, serviceAccountName } = this.#pod
    const account = await this.#admin.get(`/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccountName}`)
    return this.#spec['automountServiceAccountToken'] ?? account['automountServiceAccountToken'] ?? true
  }

  #volume(name: string): KubeObject {
    const volumes = [...((this.#spec['volumes'] ?? []) as readonly KubeObject[]), automounted]
    const volume = volumes.find((candidate) => candidate['name'] === name)
    if (volume === undefined) throw new Error(`the pod has no volume ${name}`)
    return volume
  }

  async #files(volume: KubeObject): Promise<Files> {
    if (volume['emptyDir'] !== undefined) return {}
    if (volume['projected'] === undefined) return this.#sourceFiles(volume)
    const parts = await Promise.all(volume['projected'].sources.map((source: KubeObject) => this.#sourceFiles(source)))
    return Object.assign({}, ...parts) as Files
  }

  async #sourceFiles(source: KubeObject): Promise<Files> {
    const { secret, configMap, serviceAccountToken, downwardAPI } = source
    if (secret !== undefined) return this.#keys('secrets', secret.secretName ?? secret.name, secret)
    if (configMap !== undefined) return this.#keys('configmaps', configMap.name, configMap)
    if (serviceAccountToken !== undefined) return { [serviceAccountToken.path]: await this.#token(serviceAccountToken) }
    if (downwardAPI !== undefined) return this.#downward(downwardAPI)
    throw new Error(`this volume is not played here: ${JSON.stringify(source)}`)
  }

  async #keys(resource: 'secrets' | 'configmaps', name: string, source: KubeObject): Promise<Files> {
    const object: KubeObject = await this.#admin
      .get(`/api/v1/namespaces/${this.#pod.namespace}/${resource}/${name}`)
      .catch((error: unknown) => {
        if (source['optional'] === true && error instanceof ApiError && error.status === 404) return {}
        throw error
      })
    const text = resource === 'secrets' ? decoded(object['data']) : (object['data'] ?? {})
    const all: Files = { ...text, ...decoded(object['binaryData']) }
    if (source['items'] === undefined) return all
    const picked: Record<string, string | Buffer> = {}
    for (const { key, path } of source['items'] as readonly { key: string; path: string }[]) {
      const content = all[key]
      if (content !== undefined) picked[path] = content
      else if (source['optional'] !== true) throw new Error(`${resource} ${name} has no key ${key}`)
    }
    return picked
  }

  async #token(wanted: { audience?: string; expirationSeconds?: number }): Promise<string> {
    const { namespace, serviceAccountName } = this.#pod
    const spec = {
      expirationSeconds: wanted.expirationSeconds ?? 3600,
      ...(wanted.audience !== undefined && { audiences: [wanted.audience] }),
    }
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccountName}/token`
    return (await this.#admin.create(path, { spec }))['status'].token as string
  }

  #downward({ items }: { items: readonly { path: string; fieldRef?: { fieldPath: string } }[] }): Files {
    const values: Files = { 'metadata.name': this.#pod.name, 'metadata.namespace': this.#pod.namespace }
    return Object.fromEntries(
      items.map(({ path, fieldRef }) => {
        const value = values[fieldRef?.fieldPath ?? '']
        if (value === undefined) throw new Error(`downwardAPI ${path} is not played here`)
        return [path, value]
      }),
    )
  }
}

/** What the ServiceAccount admission plugin adds to a pod. */
const automounted = {
  name: 'kube-api-access',
  projected: {
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
    ],
  },
}

function decoded(data: Readonly<Record<string, string>> = {}): Files {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]))
}

async function replaceFile(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.new`, content)
  await rename(`${path}.new`, path)
}
