import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { Cache, ObjectKey } from '../../cluster/ports.ts'
import type { UntilSpec } from '../../core/grant/grant.ts'
import type { UntilFacts } from '../../core/grant/until.ts'

/** What is known of the objects that grants end with. */
export interface UntilObjects {
  /** Keeps to what these grants name from now on. `changed` is called with a grant of whose object there may be other facts. */
  follow(grants: Cache<NHIGrant>, changed: (grant: ObjectKey) => void): void
  factsOf(namespace: string, until: UntilSpec | null): UntilFacts
}

/** Knows none of them: nothing is issued that would end with one. */
export const noUntilObjects: UntilObjects = {
  follow: () => {},
  factsOf: (_, until) => (until === null ? { kind: 'None' } : { kind: 'Unknown', message: 'it is not watched' }),
}
