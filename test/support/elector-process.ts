/**
 * A candidate as a process of its own, to be stopped, killed and kept busy by a test:
 *   node elector-process.ts KUBECONFIG NAMESPACE IDENTITY HOURS
 * HOURS is how far its clock is off. Holding the lease, it writes to a ConfigMap as fast as it can. It prints `leads` when it
 * is elected and `lost: REASON` before it exits with 5; SIGTERM makes it give the lease back and exit with 0; a line
 * `block MILLIS` on stdin keeps it from doing anything for that time.
 */
import { createInterface } from 'node:readline'
import { loadConnection } from '../../src/cluster/connection.ts'
import { KubeLeaseStore } from '../../src/cluster/lease-store.ts'
import { Transport } from '../../src/cluster/transport.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { Elector } from '../../src/runtime/elector.ts'
import { createLog } from '../../src/runtime/log.ts'

const [kubeconfig = '', namespace = '', identity = '', hours = '0'] = process.argv.slice(2)
const clock = { ...systemClock, now: () => systemClock.now() + Number(hours) * 3_600_000 }
const log = createLog({ level: 'warn', fields: { identity } })
const connection = await loadConnection({ kubeconfig, clock })
const elector: Elector = new Elector({
  store: new KubeLeaseStore(new Transport({ connection, clock, random: Math.random }), {
    namespace,
    name: 'contested',
  }),
  identity,
  leaseDuration: 4_000,
  renewDeadline: 3_000,
  retryPeriod: 500,
  clock,
  log,
  random: Math.random,
  onLost: (reason) => {
    console.log(`lost: ${reason}`)
    process.exit(5)
  },
})
const transport = new Transport({ connection, clock, random: Math.random, mayWrite: () => elector.leads })

const stopped = new AbortController()
process.on('SIGTERM', () => stopped.abort())
createInterface({ input: process.stdin }).on('line', (line) => {
  const until = performance.now() + Number(line.split(' ')[1])
  while (performance.now() < until);
})

elector.start()
await elector.whenElected()
console.log('leads')
const writers = Array.from({ length: 4 }, async (_, writer) => {
  for (let n = 0; !stopped.signal.aborted; n++) {
    const change = { data: { [`${identity}-${writer}`]: String(n) } }
    const path = `/api/v1/namespaces/${namespace}/configmaps/contested`
    await transport.call('PATCH', path, change, { contentType: 'application/merge-patch+json' }).catch(() => {})
  }
})
await Promise.all(writers)
await elector.release()
process.exit(0)
