import type { AuthorizeOptions } from './authorize.ts'
import type { CapabilityId } from './capability.ts'
import { heldCapabilities } from './held-capabilities.ts'
import type { HeldCapability } from './held-capabilities.ts'
import type { RbacView } from './objects.ts'
import type { RbacUser } from './subject.ts'

interface Answers {
  readonly generation: number
  readonly byQuestion: Map<string, readonly HeldCapability[]>
}

/** Questions remembered for one view before they are forgotten together. */
const capacity = 10_000

const answersOf = new WeakMap<RbacView, Answers>()
const numbers = new WeakMap<ReadonlySet<string>, number>()
let lastNumber = 0

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
  const { byQuestion } = currentAnswers(view)
  const question = JSON.stringify([user.username, user.groups, wanted, numberOf(options.ignoreBindings)])
  const known = byQuestion.get(question)
  if (known !== undefined) return known
  const held = heldCapabilities(user, wanted, view, options)
  if (byQuestion.size >= capacity) byQuestion.clear()
  byQuestion.set(question, held)
  return held
}

function currentAnswers(view: RbacView): Answers {
  const known = answersOf.get(view)
  if (known?.generation === view.generation) return known
  const fresh: Answers = { generation: view.generation, byQuestion: new Map() }
  answersOf.set(view, fresh)
  return fresh
}

function numberOf(ignored: ReadonlySet<string> | undefined): number {
  if (ignored === undefined) return 0
  const known = numbers.get(ignored) ?? ++lastNumber
  numbers.set(ignored, known)
  return known
}
