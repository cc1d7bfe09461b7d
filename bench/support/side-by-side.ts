/** Runs the task for every item, `width` of them at a time; results in the order of the items. Rejects with the first failure. */
export async function sideBySide<T, R>(
  items: readonly T[],
  width: number,
  task: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  const waiting = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await task(item, index)
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}
