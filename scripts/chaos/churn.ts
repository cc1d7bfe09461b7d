import { setTimeout as delay } from 'node:timers/promises'

import type { AdminApi, KubeObject } from '../../test/support/admin-api.ts'
import type { ControlPlane } from '../../test/support/control-plane.ts'
import { eventually } from '../../test/support/eventually.ts'
import { conditionOf, paths } from '../../test/support/scene.ts'
import type { Dice } from '../soak/dice.ts'
import { applyPolicy, namespaceLabels, permission, policyName, rule } from '../soak/policy.ts'

/** Of a grant, in seconds. */
export const lifetime = { least: 1, most: 8 } as const
const askers = 3
const pause = { least: 150, most: 900 } as const
const policyChange = { least: 12_000, most: 20_000 } as const

/** A grant whose subject has no other, so that what the subject may do is what the grant gives. */
export interface Asked {
  readonly uid: string
  readonly name: string
  readonly subject: string
  /** When somebody had ended it before its time; Infinity: nobody did. */
  endedEarlyAt: number
}

/** People who ask for grants, revoke and delete them, and now and then change the policy, whatever is killed meanwhile. */
export class Churn {
  readonly asked: Asked[] = []
  readonly namespace: string
  readonly #admin: AdminApi
  readonly #dice: Dice
  readonly #enough = new AbortController()
  #going: readonly Promise<void>[] = []
  #refused = 0
  #version = 0
  #subjects = 0

  private constructor(admin: AdminApi, dice: Dice, namespace: string) {
    this.#admin = admin
    this.#dice = dice
    this.namespace = namespace
  }

  /** Resolves when the first version of the policy is in force. */
  static async prepare(controlPlane: ControlPlane, dice: Dice): Promise<Churn> {
    const { admin } = controlPlane
    const namespace = await controlPlane.namespace(namespaceLabels)
    await applyPolicy(admin, 0)
    await eventually('the policy is ready', async () => {
      const policy = await admin.get(`${paths.policies}/${policyName}`)
      return conditionOf(policy, 'Ready')?.['status'] === 'True' || undefined
    })
    return new Churn(admin, dice, namespace)
  }

  /** Requests that failed, while something was killed. */
  get refused(): number {
    return this.#refused
  }

  get policyVersions(): number {
    return this.#version + 1
  }

  start(): void {
    this.#going = [
      ...Array.from({ length: askers }, () => this.#again(pause, () => this.#ask())),
      this.#again(policyChange, () => this.#changePolicy()),
    ]
  }

  /** What was asked for goes on. */
  async stop(): Promise<void> {
    this.#enough.abort()
    await Promise.all(this.#going)
  }

  async #again(wait: { readonly least: number; readonly most: number }, act: () => Promise<void>): Promise<void> {
    const { signal } = this.#enough
    while (await delay(this.#dice.between(wait.least, wait.most), true, { signal }).catch(() => false))
      await act().catch(() => (this.#refused += 1))
  }

  async #ask(): Promise<void> {
    const dice = this.#dice
    const { namespace } = this
    const subject = `deployer-${(this.#subjects += 1)}`
    await this.#admin.create(paths.serviceAccounts(namespace), { metadata: { name: subject } })
    const narrower = dice.chance(0.3) ? { rules: [{ ...rule, verbs: ['patch'] }] } : {}
    const { metadata } = await this.#admin.create(paths.grants(namespace), {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { name: subject },
      spec: {
        policy: { name: policyName },
        subject: { kind: 'ServiceAccount', namespace, name: subject },
        permissions: [permission],
        reason: 'See what holds',
        duration: `${Math.round(dice.between(lifetime.least, lifetime.most))}s`,
        ...narrower,
      },
    })
    const asked: Asked = { uid: metadata!.uid!, name: subject, subject, endedEarlyAt: Infinity }
    this.asked.push(asked)
    if (dice.chance(0.3)) void this.#endEarly(asked).catch(() => (this.#refused += 1))
  }

  async #endEarly(asked: Asked): Promise<void> {
    const path = `${paths.grants(this.namespace)}/${asked.name}`
    await delay(this.#dice.between(200, 3_000))
    if (this.#dice.chance(0.5)) await this.#admin.delete(path)
    else await this.#admin.patch(path, { spec: { revoke: { reason: 'enough' } } })
    asked.endedEarlyAt = Date.now()
  }

  /** What was asked for before is over with the version that it was issued under. */
  async #changePolicy(): Promise<void> {
    const before = [...this.asked]
    const issued = new Set((await this.#admin.list(paths.grants(this.namespace))).filter(isIssued).map(uidOf))
    await applyPolicy(this.#admin, this.#version + 1)
    this.#version += 1
    const now = Date.now()
    for (const asked of before) if (issued.has(asked.uid)) asked.endedEarlyAt = Math.min(asked.endedEarlyAt, now)
  }
}

function isIssued({ status }: KubeObject): boolean {
  return status?.notAfter !== undefined
}

function uidOf({ metadata }: KubeObject): string {
  return metadata!.uid!
}
