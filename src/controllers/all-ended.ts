/**
 * The results of all, or the first failure, but never before the last of them has ended: what is still on its way to the
 * API server could otherwise arrive after it was undone.
 */
export async function allEnded<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  const results = await Promise.allSettled(promises)
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
