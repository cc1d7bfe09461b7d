import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { expect } from 'chai'

import type { AuditRecord, Evidence } from '../../src/core/audit/record.ts'
import { lapse } from '../cli/fake-io.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { installLapse, type Installation } from '../support/installation.ts'
import { paths, Scene } from '../support/scene.ts'

const lease = '/apis/coordination.k8s.io/v1/namespaces/lapse-system/leases/lapse-controller'

const recordsIn = (path: string): readonly AuditRecord[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditRecord)

/** Without the word that there is no proof yet: it is there only when the API server is slow to hear of the end. */
const stepsIn = (records: readonly AuditRecord[]): readonly string[] =>
  records.map(({ kind }) => kind).filter((kind) => kind !== 'RevocationUnverified')

const verify = (...argv: readonly string[]) => lapse(['audit', 'verify', ...argv])

describe('the audit records of an installation', function () {
  this.timeout(90_000)

  // Its own: it is taken its disk, and killed.
  let controlPlane: ControlPlane
  let installation: Installation
  let scene: Scene
  let directory: string
  let file: string
  before(async function () {
    this.timeout(180_000)
    directory = mkdtempSync(join(tmpdir(), 'lapse-audit-'))
    file = join(directory, 'log', 'audit.jsonl')
    mkdirSync(join(directory, 'log'))
    controlPlane = await startControlPlane()
    const values = { audit: { path: file, volume: { emptyDir: {} } } }
    installation = await installLapse(controlPlane, { values })
    scene = await Scene.set(controlPlane, null)
    const { change, grants } = scene.policySpec()
    await scene.applyPolicy({
      change: { ...change, expiresAt: new Date(Date.now() + 86_400_000).toISOString() },
      grants: { ...grants, requesters: [{ kind: 'User', name: 'admin' }] },
    })
    await scene.policyIs('True')
  })
  after(async () => {
    await controlPlane?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const ask = (name: string, changed: Readonly<Record<string, unknown>>): Promise<string> =>
    scene.ask(name, { requestedBy: undefined, ticket: 'CHG-20855', ...changed })
  const of = (uid: string, path = file): readonly (AuditRecord & Evidence)[] =>
    recordsIn(path).filter((record): record is AuditRecord & Evidence => 'grant' in record && record.grant.uid === uid)
  const kindsOf = (uid: string): readonly string[] => of(uid).map(({ kind }) => kind)
  /** Everything that was written, in order, whatever was rotated. */
  const verifyAll = () => verify(...[`${file}.1`, file].filter((path) => existsSync(path)))
  /** By the metric of the controller. */
  const areWritable = async (): Promise<boolean> => {
    const url = `http://127.0.0.1:${installation.controller.localPort('http')}/metrics`
    return /^lapse_audit_writable 1$/m.test(await (await fetch(url)).text())
  }

  it('F15: tell the life of a grant, each step before its status does, and outlive the grant', async () => {
    const uid = await ask('life', { duration: '2s' })
    const { status } = await scene.ends('life', 'Expired')
    await controlPlane.admin.delete(`${paths.grants(scene.namespace)}/life`)
    const records = of(uid)
    expect(stepsIn(records)).to.deep.equal(['Issuing', 'Issued', 'Ending', 'Ended', 'RevocationVerified'])
    for (const record of records) {
      expect(record).to.include({
        requestedBy: 'admin',
        subject: scene.username,
        ticket: 'CHG-20855',
        reason: 'a test',
      })
      expect(record.grant).to.include({ kind: 'NHIGrant', namespace: scene.namespace, name: 'life' })
      expect(record.policy).to.deep.equal({ name: scene.policy, ...status.policy })
      expect(record).to.include({ notAfter: status.notAfter })
    }
    const issuing = Date.parse(records[0]!.time)
    const events = await controlPlane.auditEvents(
      ({ objectRef, verb }) => objectRef?.namespace === scene.namespace && verb === 'update',
    )
    const first = events.find(({ objectRef }) => objectRef?.resource === 'nhigrants' && objectRef.name === 'life')
    expect(issuing).to.be.at.most(Date.parse(first!.requestReceivedTimestamp) + 1)
    expect((await verify(file)).stdout).to.match(/^proved: /)
  })

  it('F15: tell the end of a grant that was deleted while it was active', async () => {
    const uid = await ask('deleted', { duration: '10m' })
    await scene.reaches('deleted', 'Active')
    await controlPlane.admin.delete(`${paths.grants(scene.namespace)}/deleted`)
    await eventually('its end is on record', async () => (kindsOf(uid).includes('Ended') ? true : undefined))
    expect(of(uid).at(-1)!.message).to.match(/^the grant was deleted when it was Active/)
    expect(await scene.roleBindings()).to.deep.equal([])
    await scene.whenRefused()
  })

  it('are one chain through a SIGKILL, a restart and a rotation', async () => {
    const uid = await ask('killed', { duration: '10m' })
    await scene.reaches('killed', 'Active')
    await installation.controller.kill()
    await controlPlane.admin.delete(lease) // which the next one would wait for
    await scene.revoke('killed')
    await installation.startController()
    await scene.ends('killed', 'Revoked', 40_000)
    renameSync(file, `${file}.1`)
    const second = await ask('rotated', { duration: '1s' })
    await scene.ends('rotated', 'Expired')
    expect(of(uid, `${file}.1`).map(({ kind }) => kind)).to.include.members(['Issuing', 'Issued', 'Ending', 'Ended'])
    expect(recordsIn(`${file}.1`).map((record) => 'how' in record && record.how)).to.include('Restarted')
    expect(recordsIn(file)[0]).to.include({
      kind: 'Opened',
      how: 'Rotated',
      previous: recordsIn(`${file}.1`).at(-1)!.hash,
    })
    expect(kindsOf(second)).to.include('Ended')
    const { code, stdout } = await verify(`${file}.1`, file, '--expect-last', recordsIn(file).at(-1)!.hash)
    expect(stdout).to.match(/^proved: .* in 1 chain\n/)
    expect(code).to.equal(0)
  })

  it('F15: when they cannot be written, nothing is issued, but access ends; then what is missing is written', async () => {
    const ending = await ask('ends', { duration: '10m' })
    await scene.reaches('ends', 'Active')
    await scene.whenAllowed()
    renameSync(join(directory, 'log'), join(directory, 'away'))
    await ask('waits', { duration: '10m', permissions: ['read-pods'] })
    const refused = 'audit records cannot be written: nothing is issued'
    await eventually(
      'it is refused its record',
      async () => installation.controller.logs().includes(refused) || undefined,
    )
    const revoked = Date.now()
    await scene.revoke('ends')
    await scene.whenRefused()
    const removals = await controlPlane.auditEvents(
      ({ objectRef, verb, requestReceivedTimestamp }) =>
        objectRef?.namespace === scene.namespace &&
        objectRef.resource === 'rolebindings' &&
        verb === 'delete' &&
        Date.parse(requestReceivedTimestamp) >= revoked,
    )
    expect(Date.parse(removals[0]!.requestReceivedTimestamp) - revoked).to.be.below(2_000)
    expect(await scene.roleBindings()).to.deep.equal([])
    expect((await scene.grant('ends'))['status'].state).to.equal('Active')
    expect((await scene.grant('waits'))['status']?.notAfter).to.equal(undefined)
    expect(await scene.allows('list', 'pods', '')).to.equal(false)
    renameSync(join(directory, 'away'), join(directory, 'log'))
    await scene.ends('ends', 'Revoked', 40_000)
    await scene.reaches('waits', 'Active', 40_000)
    expect(stepsIn(of(ending))).to.deep.equal(['Issuing', 'Issued', 'Ending', 'Ended', 'RevocationVerified'])
    expect((await verifyAll()).stdout).to.match(/^proved: .* in 1 chain\n/)
    expect(installation.controller.logs()).to.include(refused)
  })

  it('F15: when they cannot be written, access ends by time all the same; then what is missing is written, once', async () => {
    const before = await scene.roleBindings()
    const lapsing = await ask('lapses', { duration: '8s' })
    const { status } = await scene.reaches('lapses', 'Active')
    await scene.whenAllowed()
    const end = Date.parse(status.notAfter)
    renameSync(join(directory, 'log'), join(directory, 'away'))
    expect(Date.now(), 'the end comes after the loss').to.be.below(end)
    let lastYes = 0
    await eventually('the access is gone', async () => {
      const asked = Date.now()
      if (!(await scene.allows())) return true
      lastYes = asked
      return undefined
    })
    expect(lastYes - end).to.be.below(5_000)
    await eventually('it is told', async () => ((await areWritable()) ? undefined : true))
    const fifthTry = `"key":"${scene.namespace}/lapses","failures":5`
    await eventually(
      'it has been tried often',
      async () => installation.controller.logs().includes(fifthTry) || undefined,
    )
    expect(await scene.roleBindings()).to.have.length(before.length)
    expect((await scene.grant('lapses'))['status'].state).to.equal('Active')
    const written = of(lapsing, join(directory, 'away', 'audit.jsonl'))
    expect(stepsIn(written)).to.deep.equal(['Issuing', 'Issued'])
    renameSync(join(directory, 'away'), join(directory, 'log'))
    const { status: ended } = await scene.ends('lapses', 'Expired', 40_000)
    expect(ended.notAfter).to.equal(status.notAfter)
    expect(stepsIn(of(lapsing))).to.deep.equal(['Issuing', 'Issued', 'Ending', 'Ended', 'RevocationVerified'])
    expect(of(lapsing).find(({ kind }) => kind === 'Ended')!.message).to.match(/^Expired: /)
    expect(await areWritable()).to.equal(true)
    expect((await verifyAll()).stdout).to.match(/^proved: .* in 1 chain\n/)
  })

  it('tell of an end that came while no controller worked when it is carried out, and again when its grant is looked at', async () => {
    const uid = await ask('overdue', { duration: '10s' })
    const { status } = await scene.reaches('overdue', 'Active')
    await scene.whenAllowed()
    await installation.controller.stop()
    expect((await scene.grant('overdue'))['status'].state).to.equal('Active')
    await delay(Math.max(0, Date.parse(status.notAfter) + 200 - Date.now()))
    expect(await scene.allows(), 'there is no reaper').to.equal(true)
    await installation.startController()
    await scene.whenRefused()
    const { status: ended } = await scene.ends('overdue', 'Expired', 40_000)
    expect(ended.notAfter).to.equal(status.notAfter)
    expect(installation.controller.logs()).to.contain('"message":"overdue bindings removed"')
    const records = of(uid)
    expect(stepsIn(records)).to.deep.equal(['Issuing', 'Issued', 'Ending', 'Ending', 'Ended', 'RevocationVerified'])
    const [first, second] = records.filter(({ kind }) => kind === 'Ending')
    expect(first!.message).to.match(/^RoleBinding lapse-.* is removed: the end that it names has come$/)
    expect(first).to.include({ subject: scene.username, notAfter: status.notAfter })
    expect(second!.message).to.match(/^ended at .*, as issued$/)
    expect((await verifyAll()).stdout).to.match(/^proved: .* in 1 chain\n/)
  })
})
