/**
 * mocha lets a test pass that leaves a rejection behind which nobody handles. With this file in its `require` no such test
 * passes, or the one after it if the rejection came that late.
 */
const unhandled = new Set<unknown>()
process.on('unhandledRejection', (reason) => unhandled.add(reason))

export const mochaHooks = {
  async afterEach(): Promise<void> {
    await new Promise(setImmediate)
    if (unhandled.size === 0) return
    const [first] = unhandled
    unhandled.clear()
    throw new Error('unhandled rejection', { cause: first })
  },
}
