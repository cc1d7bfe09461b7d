import { serviceAccountUsername } from '../../src/core/identity.ts'
import type { AdminApi, KubeObject } from './admin-api.ts'
import { rights, type Right } from './asked-grant.ts'

export interface Access {
  /** A ServiceAccount of the namespace. */
  readonly who: string
  readonly right: Right
}

/** Another namespace than that of any world. */
const elsewhere = 'default'

/** Asks the API server, and nobody else, what ServiceAccounts of a namespace may do. */
export class AccessProbe {
  readonly #admin: AdminApi
  readonly #namespace: string

  constructor(admin: AdminApi, namespace: string) {
    this.#admin = admin
    this.#namespace = namespace
  }

  /** What they have of all rights, and whichever of them has a token of a grant's own. */
  async accessOf(everybody: readonly string[]): Promise<readonly Access[]> {
    const questions = everybody.flatMap((who) => rights.map((right) => ({ who, right })))
    const asked = questions.filter(({ right }) => right !== 'have a token')
    const [answers, tokens] = await Promise.all([
      Promise.all(asked.map((question) => this.#allows(question))),
      this.#tokens(),
    ])
    return [...asked.filter((_, index) => answers[index] === true), ...tokens]
  }

  async #allows({ who, right }: Access): Promise<boolean> {
    const [verb, resource = '', place] = right.split(' ')
    const group = resource === 'deployments' ? 'apps' : ''
    const namespace = place === undefined ? this.#namespace : elsewhere
    const review = await this.#admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: {
        user: serviceAccountUsername(this.#namespace, who),
        resourceAttributes: { namespace, verb, group, resource },
      },
    })
    return review['status'].allowed === true
  }

  async #tokens(): Promise<readonly Access[]> {
    const secrets = await this.#admin.list(`/api/v1/namespaces/${this.#namespace}/secrets`)
    return secrets
      .filter((secret) => secret['data']?.token !== undefined)
      .map((secret): Access => ({ who: `lapse-${grantUidOf(secret)}`, right: 'have a token' }))
  }
}

function grantUidOf({ metadata }: KubeObject): string {
  return (metadata?.['ownerReferences']?.[0]?.uid as string | undefined) ?? ''
}
