import { expect } from 'chai'

import { marks } from '../../src/api/v1alpha1/objects.ts'
import { Conflict } from '../../src/cluster/errors.ts'
import type { ClusterClient, MetadataOnly } from '../../src/cluster/ports.ts'
import { endOverdue } from '../../src/controllers/end-overdue.ts'
import { formatInstant } from '../../src/core/time.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { FakeClock } from '../support/fake-clock.ts'

describe('the bindings that are overdue at a start', () => {
  const clock = new FakeClock()
  const told: string[] = []
  const evidence = { ofOverdue: ({ metadata }: MetadataOnly) => void told.push(metadata.name) }

  const at = (offset: number): string => formatInstant(clock.now() + offset)

  /** What is deleted, as `resource namespace/name uid`. */
  async function removed(
    bindings: readonly MetadataOnly[],
    fails: (name: string) => Error | null = () => null,
    isStopping: () => boolean = () => false,
  ): Promise<readonly string[]> {
    const deleted: string[] = []
    told.length = 0
    const client: Pick<ClusterClient, 'delete'> = {
      delete: ({ plural }, { namespace, name }, { uid } = {}) => {
        const failure = fails(name)
        if (failure !== null) return Promise.reject(failure)
        deleted.push(`${plural} ${namespace}/${name} ${uid}`)
        return Promise.resolve('deleted')
      },
    }
    await endOverdue({ client, bindings, evidence, clock, log: silentLog, isStopping })
    return deleted
  }

  it('are removed, each by its UID, once the end that they name has come', async () => {
    const bindings = [binding('over', at(0)), binding('long-over', at(-60_000)), binding('alive', at(1))]
    const wide = [binding('wide', at(-1), null), binding('wide-alive', at(1_000), null)]
    expect(await removed([...bindings, ...wide])).to.deep.equal([
      'rolebindings payments/over uid-of-over',
      'rolebindings payments/long-over uid-of-long-over',
      'clusterrolebindings /wide uid-of-wide',
    ])
  })

  it('are none that name no end, which only the reaper may take for over', async () => {
    expect(await removed([binding('unmarked'), binding('garbled', 'soon')])).to.deep.equal([])
  })

  it('are put on record before they are removed, and those that stay are not', async () => {
    const bindings = [binding('over', at(0)), binding('alive', at(1))]
    const order: string[] = []
    await removed(bindings, (name) => {
      order.push(`${told.join()} is on record when ${name} goes`)
      return null
    })
    expect(order).to.deep.equal(['over is on record when over goes'])
  })

  it('stay, and off the record, once the process is about to end', async () => {
    let isEnding = false
    const bindings = Array.from({ length: 100 }, (_, index) => binding(`b${index}`, at(-1)))
    const gone = await removed(
      bindings,
      () => {
        isEnding = true
        return null
      },
      () => isEnding,
    )
    expect(gone.length).to.equal(1)
    expect(told.length).to.equal(1)
  })

  it('are all tried, also when one cannot be removed or is another by now', async () => {
    const failures = [
      new Error('refused'),
      new Conflict({ method: 'DELETE', path: '/' }, 'another UID', 'Conflict'),
      null,
      null,
    ]
    const bindings = failures.map((_, index) => binding(`b${index}`, at(-1)))
    const gone = await removed(bindings, (name) => failures[Number(name.slice(1))] ?? null)
    expect(told).to.deep.equal(['b0', 'b1', 'b2', 'b3'])
    expect(gone).to.deep.equal(['rolebindings payments/b2 uid-of-b2', 'rolebindings payments/b3 uid-of-b3'])
  })
})

function binding(name: string, notAfter?: string, namespace: string | null = 'payments'): MetadataOnly {
  const annotations = notAfter === undefined ? {} : { annotations: { [marks.notAfter]: notAfter } }
  const place = namespace === null ? {} : { namespace }
  return { metadata: { name, uid: `uid-of-${name}`, resourceVersion: '1', ...place, ...annotations } }
}
