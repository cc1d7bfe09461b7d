import { setTimeout as delay } from 'node:timers/promises'

import type { AdminApi, KubeObject } from '../../test/support/admin-api.ts'
import type { ControlPlane } from '../../test/support/control-plane.ts'
import { eventually } from '../../test/support/eventually.ts'
import type { Dice } from './dice.ts'
import { applyPolicy, namespaceLabels, permission, policyName, rule } from './policy.ts'

const group = '/apis/lapse.dev/v1alpha1'
const namespaces = 3
/** In each namespace: so many that some of them hold two grants at a time, and most do not. */
const subjects = Array.from({ length: 20 }, (_, index) => `deployer-${index}`)
/** How many ask for grants at a time, and how long each waits in between. */
const askers = 3
const pause = { least: 400, most: 1_200 } as const
/** Of a grant, in seconds. */
export const lifetime = { least: 3, most: 40 } as const
const policyChange = { least: 45_000, most: 90_000 } as const
const clearing = { least: 2_000, most: 2_000 } as const
/** For how long a grant that has ended stays as its own record. */
const keepEnded = 20_000

interface Range {
  readonly least: number
  readonly most: number
}

export interface Counts {
  readonly asked: number
  /** Requests of the churn that failed: while the API server or the webhook is away. */
  readonly refused: number
  readonly alive: number
  readonly ended: number
  readonly policyVersions: number
}

/** People at work: grants asked for, revoked and deleted, records cleared away, now and then a new version of the policy. None of it goes through the proxy. */
export class Churn {
  readonly #admin: AdminApi
  readonly #dice: Dice
  readonly #namespaces: readonly string[]
  readonly #enough = new AbortController()
  readonly #stopped = new AbortController()
  readonly #endedEarly = new Map<string, number>()
  #asking: readonly Promise<void>[] = []
  #clearing: Promise<void> = Promise.resolve()
  #asked = 0
  #refused = 0
  #alive = 0
  #ended = 0
  #version = 0

  private constructor(admin: AdminApi, dice: Dice, names: readonly string[]) {
    this.#admin = admin
    this.#dice = dice
    this.#namespaces = names
  }

  /** Resolves when the first version of the policy is in force. */
  static async prepare(controlPlane: ControlPlane, dice: Dice): Promise<Churn> {
    const { admin } = controlPlane
    const names = await Promise.all(Array.from({ length: namespaces }, () => controlPlane.namespace(namespaceLabels)))
    for (const namespace of names) {
      for (const name of subjects) {
        await admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } })
      }
    }
    await applyPolicy(admin, 0)
    await eventually('the policy is ready', async () => {
      const { status } = await admin.get(`${group}/accesspolicies/${policyName}`)
      const conditions = (status?.conditions ?? []) as readonly KubeObject[]
      return conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True') || undefined
    })
    return new Churn(admin, dice, names)
  }

  get counts(): Counts {
    const [asked, refused] = [this.#asked, this.#refused]
    return { asked, refused, alive: this.#alive, ended: this.#ended, policyVersions: this.#version + 1 }
  }

  /** The instant at which somebody revoked or deleted the grant of that UID; Infinity: nobody did. */
  endedEarlyAt(uid: string): number {
    return this.#endedEarly.get(uid) ?? Infinity
  }

  start(): void {
    const { signal } = this.#enough
    this.#asking = [
      ...Array.from({ length: askers }, () => this.#again(pause, signal, () => this.#ask())),
      this.#again(policyChange, signal, () => this.#changePolicy()),
    ]
    this.#clearing = this.#again(clearing, this.#stopped.signal, () => this.#clear())
  }

  /** Grants that are there run to their ends, and records are still cleared away. */
  async stopAsking(): Promise<void> {
    this.#enough.abort()
    await Promise.all(this.#asking)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#clearing
  }

  async #again(wait: Range, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    while (await delay(this.#dice.between(wait.least, wait.most), true, { signal }).catch(() => false)) {
      await act().catch(() => (this.#refused += 1))
    }
  }

  async #ask(): Promise<void> {
    const dice = this.#dice
    const namespace = dice.pick(this.#namespaces)
    const duration = `${Math.round(dice.between(lifetime.least, lifetime.most))}s`
    // narrower rules make a Role of the grant's own
    const rules = dice.chance(0.3) ? { rules: [{ ...rule, verbs: ['get'] }] } : {}
    this.#asked += 1
    const created = await this.#admin.create(grantsIn(namespace), {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { generateName: 'soak-' },
      spec: {
        policy: { name: policyName },
        subject: { kind: 'ServiceAccount', namespace, name: dice.pick(subjects) },
        permissions: [permission],
        reason: 'Wear it out',
        duration,
        ...rules,
      },
    })
    if (dice.chance(0.25)) void this.#endEarly(created)
  }

  async #endEarly({ metadata }: KubeObject): Promise<void> {
    const { uid = '', name = '', namespace = '' } = metadata ?? {}
    const path = `${grantsIn(namespace)}/${name}`
    const act = this.#dice.chance(0.5)
      ? () => this.#admin.delete(path)
      : () => this.#admin.patch(path, { spec: { revoke: { reason: 'enough' } } })
    await delay(this.#dice.between(0, 10_000))
    await act().then(
      () => this.#endedEarly.set(uid, Date.now()),
      () => (this.#refused += 1),
    )
  }

  async #changePolicy(): Promise<void> {
    await applyPolicy(this.#admin, this.#version + 1)
    this.#version += 1
  }

  /** Counts the grants, and deletes what has ended a while ago: a run must not grow by its own records. */
  async #clear(): Promise<void> {
    const grants = await listGrants(this.#admin)
    const ended = grants.filter(hasEnded)
    this.#alive = grants.length - ended.length
    this.#ended = ended.length
    const old = ended.filter(({ status }) => Date.parse(status.endedAt as string) < Date.now() - keepEnded)
    for (const { metadata } of old) {
      await this.#admin.delete(`${grantsIn(metadata?.namespace ?? '')}/${metadata?.name}`)
      this.#endedEarly.delete(metadata?.uid ?? '')
    }
  }
}

export async function listGrants(admin: AdminApi): Promise<readonly KubeObject[]> {
  return (await admin.get(`${group}/nhigrants`))['items'] as readonly KubeObject[]
}

export function hasEnded({ status }: KubeObject): boolean {
  return ['Expired', 'Revoked', 'Denied'].includes(status?.state as string)
}

function grantsIn(namespace: string): string {
  return `${group}/namespaces/${namespace}/nhigrants`
}
