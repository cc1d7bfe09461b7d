import { expect } from 'chai'
import { Conflict, Unreachable } from '../../src/cluster/errors.ts'
import type { ClusterClient, MetadataOnly } from '../../src/cluster/ports.ts'
import type { Instant } from '../../src/core/time.ts'
import { formatInstant } from '../../src/core/time.ts'
import { Reaper } from '../../src/reaper/reaper.ts'
import { type Log, silentLog } from '../../src/runtime/log.ts'
import { TrustedClock } from '../../src/runtime/trusted-clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { HandCache } from '../support/hand-cache.ts'

const managed = { 'lapse.dev/managed-by': 'lapse', 'lapse.dev/grant-uid': 'g-1' }

interface Written {
  readonly name?: string
  readonly uid?: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  /** null: not written. */
  readonly notAfter?: Instant | string | null
  readonly finalizers?: readonly string[]
}

describe('the reaper', () => {
  let clock: FakeClock
  let start: Instant
  let roleBindings: HandCache<MetadataOnly>
  let clusterRoleBindings: HandCache<MetadataOnly>
  let reaper: Reaper
  let lines: string[]
  let reaped: string[]
  /** `3000 rolebindings payments/a u-a`: when, what and which UID was to be removed. */
  let deletions: string[]
  /** What the API server does with the next removals; then it removes. */
  let answers: (Error | 'absent' | 'held')[]

  const cacheOf = { rolebindings: () => roleBindings, clusterrolebindings: () => clusterRoleBindings }

  const client: Pick<ClusterClient, 'delete'> = {
    delete: async ({ plural }, key, options) => {
      const at = clock.now() - start
      deletions.push(`${at} ${plural} ${key.namespace}/${key.name} ${options?.uid}`)
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      if (answer === 'absent') return 'absent'
      const cache = cacheOf[plural as keyof typeof cacheOf]()
      const found = cache.get(key)
      if (found !== null && answer !== 'held') cache.remove(found)
      return 'deleted'
    },
  }

  function binding(written: Written): MetadataOnly {
    const { name = 'a', namespace = 'payments', labels = managed, notAfter = start + 1_000, finalizers } = written
    const end = typeof notAfter === 'number' ? formatInstant(notAfter) : notAfter
    const metadata = {
      name,
      namespace,
      uid: written.uid ?? `u-${name}`,
      resourceVersion: '1',
      creationTimestamp: formatInstant(start),
      labels,
      annotations: end === null ? {} : { 'lapse.dev/not-after': end },
      ...(finalizers !== undefined && { finalizers }),
    }
    return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata }
  }

  beforeEach(() => {
    clock = new FakeClock()
    start = clock.now()
    roleBindings = new HandCache()
    clusterRoleBindings = new HandCache()
    ;[lines, reaped, deletions, answers] = [[], [], [], []]
    const note =
      (level: string) =>
      (message: string): void =>
        void lines.push(`${level} ${message}`)
    const log: Log = { error: note('error'), warn: note('warn'), info: note('info'), debug: note('debug') }
    reaper = new Reaper({
      client,
      caches: { RoleBinding: roleBindings, ClusterRoleBinding: clusterRoleBindings },
      grace: 2_000,
      clock,
      log,
      random: () => 0,
      reaped: ({ kind, end }) => void reaped.push(`${kind} ${end}`),
    })
    reaper.start()
  })

  it('removes a binding at its end and the grace, not before', async () => {
    roleBindings.put(binding({}))
    await clock.advance(2_999)
    expect(deletions).to.deep.equal([])
    await clock.advance(1)
    expect(deletions).to.deep.equal(['3000 rolebindings payments/a u-a'])
    expect(reaped).to.deep.equal(['RoleBinding Written'])
    expect(lines).to.deep.equal(['info binding removed'])
    await clock.advance(60_000)
    expect(deletions).to.have.length(1)
  })

  it('removes what is bound in the whole cluster as well', async () => {
    clusterRoleBindings.put(binding({ namespace: '' }))
    await clock.advance(3_000)
    expect(deletions).to.deep.equal(['3000 clusterrolebindings /a u-a'])
    expect(reaped).to.deep.equal(['ClusterRoleBinding Written'])
  })

  it('removes at once what was overdue when it started to look', async () => {
    roleBindings.put(binding({ notAfter: start - 3_600_000 }))
    await clock.advance(0)
    expect(deletions).to.deep.equal(['0 rolebindings payments/a u-a'])
  })

  it('F21: waits for an end that is further away than the longest timer of Node', async () => {
    const days = 86_400_000
    roleBindings.put(binding({ notAfter: start + 30 * days }))
    await clock.advance(30 * days + 1_999)
    expect(deletions).to.deep.equal([])
    await clock.advance(1)
    expect(deletions).to.have.length(1)
  }).timeout(20_000)

  for (const [sentence, notAfter] of [
    ['says nothing', null],
    ['says nonsense', 'when the job is done'],
  ] as const) {
    it(`removes at once a binding that ${sentence} of its end, and tells`, async () => {
      roleBindings.put(binding({ notAfter }))
      await clock.advance(0)
      expect(deletions).to.deep.equal(['0 rolebindings payments/a u-a'])
      expect(reaped).to.deep.equal(['RoleBinding Unreadable'])
      expect(lines).to.deep.equal(['warn binding removed, for it does not say until when it lasts'])
    })
  }

  it('keeps the earlier end of a binding whose end is moved later, and tells', async () => {
    roleBindings.put(binding({}))
    roleBindings.put(binding({ notAfter: start + 3_600_000 }))
    expect(lines).to.deep.equal(['warn an end was moved later, and holds as it was'])
    await clock.advance(3_000)
    expect(deletions).to.deep.equal(['3000 rolebindings payments/a u-a'])
  })

  it('keeps to an end that is moved earlier, or taken away', async () => {
    for (const name of ['a', 'b']) roleBindings.put(binding({ name, notAfter: start + 3_600_000 }))
    roleBindings.put(binding({ name: 'a', notAfter: start + 500 }))
    roleBindings.put(binding({ name: 'b', notAfter: null }))
    await clock.advance(2_500)
    expect(deletions).to.deep.equal(['0 rolebindings payments/b u-b', '2500 rolebindings payments/a u-a'])
  })

  for (const [sentence, labels] of [
    ['no labels', {}],
    ['only the mark of the operator', { 'lapse.dev/managed-by': 'lapse' }],
    ['only the mark of a grant', { 'lapse.dev/grant-uid': 'g-1' }],
    ['the mark of another operator', { ...managed, 'lapse.dev/managed-by': 'other' }],
    ['the mark of the operator spelt otherwise', { ...managed, 'lapse.dev/managed-by': 'Lapse' }],
  ] as const) {
    it(`leaves alone what has ${sentence}, should it be shown it`, async () => {
      const foreign = binding({ labels, notAfter: null })
      roleBindings.put(foreign)
      clusterRoleBindings.put(foreign)
      await clock.advance(60_000)
      expect(deletions).to.deep.equal([])
      expect(reaper.overdue()).to.equal(0)
    })
  }

  it('leaves alone what has lost the marks when its end comes', async () => {
    roleBindings.put(binding({}))
    roleBindings.put(binding({ labels: {} }))
    await clock.advance(60_000)
    expect(deletions).to.deep.equal([])
  })

  it('does not take another binding of the name for the one that ended', async () => {
    roleBindings.put(binding({ uid: 'u-1' }))
    roleBindings.remove(binding({ uid: 'u-1' }))
    roleBindings.put(binding({ uid: 'u-2', notAfter: start + 10_000 }))
    await clock.advance(11_999)
    expect(deletions).to.deep.equal([])
    await clock.advance(1)
    expect(deletions).to.deep.equal(['12000 rolebindings payments/a u-2'])
  })

  it('is not driven in circles by whoever makes anew at once what it removes', async () => {
    for (let turn = 0; turn < 4; turn++) {
      roleBindings.put(binding({ uid: `u-${turn}`, notAfter: start - 3_600_000 }))
      await clock.advance(turn === 0 ? 0 : 1_000)
    }
    expect(deletions.map((line) => Number.parseInt(line, 10))).to.deep.equal([0, 1_000, 2_000, 3_000])
    await clock.advance(10_000)
    roleBindings.put(binding({ uid: 'u-late', notAfter: start - 3_600_000 }))
    await clock.advance(0)
    expect(deletions.at(-1)).to.equal('13000 rolebindings payments/a u-late')
  })

  it('lets the watch catch up when the API server knows another binding of the name', async () => {
    answers = [new Conflict({ method: 'DELETE', path: '/' }, 'the UID in the precondition differs', 'Conflict')]
    roleBindings.put(binding({ uid: 'u-1' }))
    await clock.advance(3_000)
    roleBindings.remove(binding({ uid: 'u-1' }))
    roleBindings.put(binding({ uid: 'u-2', notAfter: start + 10_000 }))
    await clock.advance(9_000)
    expect(deletions).to.deep.equal(['3000 rolebindings payments/a u-1', '12000 rolebindings payments/a u-2'])
    expect(lines).to.deep.equal(['info binding removed'])
  })

  it('F13 tries again for ever, every five seconds at the least', async () => {
    const failure = new Unreachable({ method: 'DELETE', path: '/' }, 'no answer')
    answers = Array.from({ length: 100 }, () => failure)
    roleBindings.put(binding({}))
    await clock.advance(3_000 + 100 * 5_000)
    expect(deletions).to.have.length(101)
    const times = deletions.map((line) => Number.parseInt(line, 10))
    const pauses = times.slice(1).map((time, index) => time - times[index]!)
    expect(Math.max(...pauses)).to.be.at.most(5_000)
    expect(reaped).to.deep.equal(['RoleBinding Written'])
  })

  it('counts what is overdue for as long as it is there', async () => {
    answers = Array.from({ length: 3 }, () => new Unreachable({ method: 'DELETE', path: '/' }, 'no answer'))
    roleBindings.put(binding({}))
    roleBindings.put(binding({ name: 'b', notAfter: start + 60_000 }))
    expect(reaper.overdue()).to.equal(0)
    await clock.advance(3_000)
    expect(reaper.overdue()).to.equal(1)
    await clock.advance(1_000)
    expect(reaper.overdue()).to.equal(0)
  })

  it('does not count what another one has removed', async () => {
    answers = ['absent']
    roleBindings.put(binding({}))
    await clock.advance(3_000)
    expect(deletions).to.have.length(1)
    expect(reaped).to.deep.equal([])
  })

  it('tells once of a binding that a finalizer holds, asks again, and does not count it as gone', async () => {
    answers = Array.from({ length: 10 }, () => 'held')
    roleBindings.put(binding({ finalizers: ['example.com/mine'] }))
    await clock.advance(13_000)
    expect(deletions.map((line) => Number.parseInt(line, 10))).to.deep.equal([3_000, 8_000, 13_000])
    expect(lines).to.deep.equal(['warn a binding that is removed is held by finalizers, and gives access'])
    expect(reaper.overdue()).to.equal(1)
    expect(reaped).to.deep.equal([])
  })

  it('invariant 12: is not kept waiting by a wall clock that is set back', async () => {
    const trusted = new TrustedClock(clock)
    const removed: number[] = []
    const began = clock.monotonic()
    const other = new Reaper({
      client: {
        delete: async (_, key) => {
          removed.push(clock.monotonic() - began)
          const found = roleBindings.get(key)
          if (found !== null) roleBindings.remove(found)
          return 'deleted'
        },
      },
      caches: { RoleBinding: roleBindings, ClusterRoleBinding: clusterRoleBindings },
      grace: 2_000,
      clock: trusted,
      log: silentLog,
      random: () => 0,
      reaped: () => {},
    })
    await reaper.drain()
    other.start()
    trusted.heard({ date: start, sent: clock.monotonic(), received: clock.monotonic() })
    roleBindings.put(binding({ notAfter: start + 60_000 }))
    await clock.advance(30_000)
    clock.jump(-3_600_000)
    await clock.advance(31_999)
    expect(removed).to.deep.equal([])
    await clock.advance(1_001)
    expect(removed).to.have.length(1)
  })

  it('removes nothing any more once it was drained', async () => {
    roleBindings.put(binding({}))
    await reaper.drain()
    await clock.advance(60_000)
    expect(deletions).to.deep.equal([])
  })
})
