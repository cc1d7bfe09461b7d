import type { CapabilityRequest } from '../capability.ts'

interface Question {
  readonly verbs: readonly string[]
  readonly apiGroup: string
  /** `pods` or `pods/exec`. */
  readonly resources: readonly string[]
  readonly reach: CapabilityRequest['reach']
  readonly onlyIn?: string
  readonly name: CapabilityRequest['name']
}

/** Every verb on every resource, in that order: the first that is allowed is the one that a message names. */
export function requests({ verbs, resources, ...shared }: Question): readonly CapabilityRequest[] {
  return verbs.flatMap((verb) =>
    resources.map((target) => {
      const [resource = '', subresource = ''] = target.split('/')
      return { verb, resource, subresource, ...shared }
    }),
  )
}

/** Verbs that change what is stored. */
export const writes: readonly string[] = ['create', 'update', 'patch']
/** Verbs that change or remove what is stored: a removed guard guards nothing. */
export const writesAndDeletes: readonly string[] = [...writes, 'delete', 'deletecollection']
