import type { AdminApi } from '../../test/support/admin-api.ts'
import { isAllowed, untilAnswer, type Subject } from './access-probe.ts'
import { sideBySide } from './side-by-side.ts'

const sampled = 32
/** How many ask without a pause: more would take from the API server what is to be measured. */
const probers = 2
const sweepers = 16

/**
 * Asks until the answer is `wanted` for every subject; resolves with the instant (of performance.now) at which the last one
 * was seen to be. A sample of them, spread over all, is asked about without a pause; the others are asked about once
 * the sample is through, and count only if one of them is late.
 */
export async function lastAnswer(api: AdminApi, subjects: readonly Subject[], wanted: 'yes' | 'no'): Promise<number> {
  const stride = Math.max(1, Math.floor(subjects.length / sampled))
  const sample = subjects.filter((_, index) => index % stride === 0)
  await sideBySide(sample, probers, (subject) => untilAnswer(api, subject, wanted))
  const sampleEnd = performance.now()
  const others = subjects.filter((_, index) => index % stride !== 0)
  const answers = await sideBySide(others, sweepers, async (subject) => isAllowed(api, subject))
  const late = others.filter((_, index) => answers[index] !== (wanted === 'yes'))
  if (late.length === 0) return sampleEnd
  await sideBySide(late, probers, (subject) => untilAnswer(api, subject, wanted))
  return performance.now()
}
