import { carriesGrant } from '../../src/controllers/marks.ts'
import { namesSomebodyOf } from './grant-carriers.ts'
import type { Interceptor } from './intercepted-client.ts'

/** The part of a cluster that one test's controllers see to, beside those of others. */
export interface TestScope {
  /** Its only policy; policies and grants for the whole cluster have it as their label `policy`. */
  readonly policy: string
  /** The only one with grants, and with subjects of grants for the whole cluster. */
  readonly namespace: string
  /** Whether a sweep lists what carries grants of others all the same, whose grants it does not know. */
  readonly sweepsEverywhere?: boolean
}

interface Carrying {
  readonly metadata: { readonly namespace?: string }
}

/** Whether what carries a grant is within the scope. */
export function isWithin({ namespace }: TestScope): (carrier: Carrying) => boolean {
  return (carrier) => {
    const isWide = carrier.metadata.namespace === undefined
    return isWide ? namesSomebodyOf(namespace, carrier) : carrier.metadata.namespace === namespace
  }
}

/** Whoever lists what carries grants, to sweep it, is shown that of the scope. */
export function listingWithin(scope: TestScope): Interceptor {
  return async ({ verb, labelSelector }, proceed) => {
    const answer = await proceed()
    const carriers = verb === 'list' && labelSelector === carriesGrant
    return carriers ? (answer as readonly Carrying[]).filter(isWithin(scope)) : answer
  }
}
