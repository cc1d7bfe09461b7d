import { setTimeout as delay } from 'node:timers/promises'

/**
 * Polls until the probe returns something other than undefined, and returns that. Fails when `withinMs` are over, with
 * the probe's last error as the cause. For what another process does in its own time and cannot be awaited.
 */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>, withinMs = 20_000): Promise<T> {
  const deadline = performance.now() + withinMs
  for (let lastError: unknown; ;) {
    try {
      const found = await probe()
      if (found !== undefined) return found
      lastError = undefined
    } catch (error) {
      lastError = error
    }
    if (performance.now() > deadline) {
      const because = lastError instanceof Error ? `: ${lastError.message}` : ''
      throw new Error(`not within ${withinMs} ms: ${what}${because}`, { cause: lastError })
    }
    await delay(20)
  }
}
