import { expect } from 'chai'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type AuditEvent, isWrite } from '../support/audit-log.ts'
import { atExit } from '../support/at-exit.ts'
import { eventually } from '../support/eventually.ts'
import { overlaps, reigns } from '../support/reigns.ts'
import { controlPlane } from '../support/shared-control-plane.ts'

const program = join(import.meta.dirname, '../support/elector-process.ts')

/** One candidate. Its process ends with this one. */
class CandidateProcess {
  readonly name: string
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #output = ''

  private constructor(name: string, child: ChildProcess) {
    this.name = name
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    const callOff = atExit(() => child.kill('SIGKILL'))
    // not its exit alone: what it has said may come after that
    this.#ended = once(child, 'close').finally(callOff)
  }

  /** As a user of its own, so that the audit log tells it from the others. */
  static async start(namespace: string, name: string, hours = 0): Promise<CandidateProcess> {
    const kubeconfig = await controlPlane().kubeconfigFor({ user: name, groups: ['system:masters'] })
    const args = [program, kubeconfig, namespace, name, String(hours)]
    return new CandidateProcess(name, spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }))
  }

  get leads(): boolean {
    return this.#output.includes('leads\n') && this.#child.exitCode === null && this.#child.signalCode === null
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  block(millis: number): void {
    this.#child.stdin?.write(`block ${millis}\n`)
  }

  /** Exit code and why it was lost, if it was. */
  async end(): Promise<{ readonly code: number | null; readonly lost: string }> {
    await this.#ended
    return { code: this.#child.exitCode, lost: /lost: (.*)/.exec(this.#output)?.[1] ?? '' }
  }
}

/** The writes of these users to the ConfigMap. */
async function writesOf(users: readonly CandidateProcess[]): Promise<readonly AuditEvent[]> {
  const names = users.map(({ name }) => name)
  return controlPlane().auditEvents(
    (event) => isWrite(event) && event.objectRef?.resource === 'configmaps' && names.includes(event.user.username),
  )
}

/** Writes of a candidate. */
const enough = 20

const userOf = ({ user }: AuditEvent): string => user.username

describe('the lease, between processes and against a real API server', () => {
  let namespace: string
  const started: CandidateProcess[] = []

  beforeEach(async () => {
    namespace = await controlPlane().namespace()
    await controlPlane().admin.create(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: 'contested' } })
  })
  afterEach(() => {
    for (const candidate of started.splice(0)) candidate.send('SIGKILL')
  })

  async function start(name: string, hours = 0): Promise<CandidateProcess> {
    const candidate = await CandidateProcess.start(namespace, `${name}-${namespace}`, hours)
    started.push(candidate)
    return candidate
  }

  function leaderAmong(candidates: readonly CandidateProcess[]): Promise<CandidateProcess> {
    const names = candidates.map(({ name }) => name).join(' or ')
    return eventually(`${names} leads`, async () => candidates.find(({ leads }) => leads), 40_000)
  }

  /** Resolves when it has written enough to be told from the others in the log. */
  function works(candidate: CandidateProcess): Promise<true> {
    return eventually(
      `${candidate.name} writes`,
      async () => (await writesOf([candidate])).length > enough || undefined,
      40_000,
    )
  }

  /** Resolves when it has seen the lease, which is somebody else's. */
  function standsBy({ name }: CandidateProcess): Promise<true> {
    return eventually(
      `${name} stands by`,
      async () => {
        const looks = await controlPlane().auditEvents(
          ({ user, objectRef, responseStatus }) =>
            user.username === name && objectRef?.resource === 'leases' && responseStatus?.code === 200,
        )
        return looks.length > 0 || undefined
      },
      40_000,
    )
  }

  it('keeps three candidates apart whose clocks are hours apart, while they are stopped, blocked, killed and ended', async () => {
    const first = await start('a')
    expect(await leaderAmong([first])).to.equal(first)
    const [fast, slow] = await Promise.all([start('b', 1), start('c', -1)])
    await Promise.all([works(first), standsBy(fast), standsBy(slow)])

    first.send('SIGSTOP')
    const second = await leaderAmong([fast, slow])
    const third = second === fast ? slow : fast
    await works(second)
    first.send('SIGCONT')
    expect(await first.end(), 'after it was stopped for longer than its lease').to.deep.equal({
      code: 5,
      lost: 'it was not renewed in time',
    })

    second.block(3_300) // beyond its deadline, though the lease may not be over
    expect(await second.end()).to.deep.equal({ code: 5, lost: 'it was not renewed in time' })

    expect(await leaderAmong([third])).to.equal(third)
    const fourth = await start('d', 2)
    await Promise.all([works(third), standsBy(fourth)])
    third.send('SIGKILL')
    expect(await leaderAmong([fourth])).to.equal(fourth)

    const fifth = await start('e', -2)
    await Promise.all([works(fourth), standsBy(fifth)])
    fourth.send('SIGTERM')
    expect(await fourth.end()).to.deep.equal({ code: 0, lost: '' })
    expect(await leaderAmong([fifth])).to.equal(fifth)
    await works(fifth)
    fifth.send('SIGTERM')
    await fifth.end()

    const order = [first, second, third, fourth, fifth]
    const writes = await writesOf(order)
    expect(reigns(writes, userOf), 'each writes in one piece').to.deep.equal(order.map(({ name }) => name))
    expect(overlaps(writes, userOf)).to.deep.equal([])
    for (const { name } of order)
      expect(writes.filter((write) => userOf(write) === name).length, `writes of ${name}`).to.be.above(enough)
    const lease = await controlPlane().admin.get(
      `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/contested`,
    )
    expect(lease['spec']).to.include({ holderIdentity: '', leaseTransitions: 4 })
  }).timeout(240_000)
})
