import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const handedOut = new Set<number>()

/**
 * A port of 127.0.0.1 on which nobody listens, and which no later call of this process returns. It lies below the range
 * from which the system picks ports for outgoing connections, so that none of those takes it before it is used.
 * LAPSE_TEST_PORTS (FIRST-LAST) narrows the choice: processes that run side by side each have a range of their own.
 */
export async function freePort(): Promise<number> {
  const [first, last] = range()
  for (;;) {
    const port = randomInt(first, last + 1)
    if (!handedOut.has(port) && (await isFree(port))) {
      handedOut.add(port)
      return port
    }
  }
}

function range(): readonly [number, number] {
  const [first, last] = (process.env['LAPSE_TEST_PORTS'] ?? '20000-31999').split('-').map(Number)
  return [first!, last!]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
