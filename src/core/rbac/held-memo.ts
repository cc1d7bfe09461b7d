import type { AuthorizeOptions } from './authorize.ts'
import type { CapabilityId } from './capability.ts'
import { generationMemo, numberOfIgnored } from './generation-memo.ts'
import { heldCapabilities } from './held-capabilities.ts'
import type { HeldCapability } from './held-capabilities.ts'
import type { RbacView } from './objects.ts'
import type { RbacUser } from './subject.ts'

const remembered = generationMemo<readonly HeldCapability[]>()

/**
 * `heldCapabilities`, looked up when the same was asked of this view in this generation. The set of ignored bindings is
 * told from others by its identity: a caller that changes it must pass a new set.
 */
export function memoHeldCapabilities(
  user: RbacUser,
  wanted: readonly CapabilityId[],
  view: RbacView,
  options: AuthorizeOptions = {},
): readonly HeldCapability[] {
  const question = JSON.stringify([user.username, user.groups, wanted, numberOfIgnored(options.ignoreBindings)])
  return remembered(view, question, () => heldCapabilities(user, wanted, view, options))
}
