import { expect } from 'chai'

import { ApprovalScene, admittedSoon, ana, bo, eve, refusedSoon, type Write } from '../support/approval-scene.ts'
import { eventually } from '../support/eventually.ts'
import { guardedCluster, rejection } from '../support/guarded-cluster.ts'
import { paths } from '../support/scene.ts'

const leads = [{ kind: 'Group', name: 'leads' }]
const breakGlass = {
  requesters: [{ kind: 'Self' }, ...leads],
  maxDuration: '1m',
  reviewWithin: '1h',
  reviewers: leads,
}
const approval = { required: 1, by: leads }
const emergency = { breakGlass: { incident: 'INC-77' }, duration: '50s' }
/** One that is over at once: whether it is seen while it lasts is not to be counted on. */
const brief = { duration: '1s' }

const refused = async (write: Promise<unknown>): Promise<string> => saidByLapse((await rejection(write)).message)
/** The same where the webhook has yet to hear of what stands against it. */
const comesToBeRefused = async (write: Write): Promise<string> => saidByLapse(await refusedSoon(write))
const saidByLapse = (message: string): string => {
  expect(message).to.contain('denied by lapse')
  return message.replaceAll(/ +/g, ' ')
}

const askAs = (scene: ApprovalScene, who = ana, spec: object = {}, name = 'rollout', query = '') =>
  scene.ask({ ...emergency, ...spec }, scene.admin.as(who), name, query)

/** A scene, and what asks for its other subject. */
const withAnother = async (reviewWithin: string) => {
  const scene = await ApprovalScene.set({ breakGlass: { ...breakGlass, reviewWithin } })
  await scene.admin.create(paths.serviceAccounts(scene.namespace), { metadata: { name: 'other' } })
  return [scene, { subject: { kind: 'ServiceAccount', namespace: scene.namespace, name: 'other' } }] as const
}

async function unreviewedIn(scene: ApprovalScene): Promise<string | undefined> {
  const { controller } = scene.cluster.lapse
  const body = await (await fetch(`http://127.0.0.1:${controller.localPort('http')}/metrics`)).text()
  return body.split('\n').find((line) => line.startsWith(`lapse_unreviewed_break_glass{policy="${scene.policy}"}`))
}

describe('break-glass', () => {
  before(async function () {
    this.timeout(180_000)
    await guardedCluster()
  })

  it('is issued at once, without approval, for a shorter time, and is to be reviewed', async () => {
    const scene = await ApprovalScene.set({ approval, breakGlass })
    await askAs(scene)
    const active = await scene.is('Active')
    const { issuedAt, notAfter, approvals, review } = active['status']
    expect(Date.parse(notAfter) - Date.parse(issuedAt)).to.be.at.most(50_000)
    expect(approvals).to.equal(undefined)
    expect(Date.parse(review.dueBy)).to.equal(Date.parse(notAfter) + 3_600_000)
    expect(await eventually('it is counted', () => unreviewedIn(scene))).to.match(/ 1$/)
  })

  it('needs an incident, a policy that has it, and somebody who may ask', async () => {
    const scene = await ApprovalScene.set({ approval, breakGlass })
    expect((await rejection(askAs(scene, ana, { breakGlass: {} }))).message).to.match(/incident/)
    expect(await refused(askAs(scene, ana, { duration: '61s' }))).to.contain('[duration-too-long]')
    expect(await refused(scene.ask(emergency))).to.contain('[requester-not-allowed]')
    const none = await ApprovalScene.set({ approval })
    expect(await refused(askAs(none))).to.contain('[break-glass-not-allowed]')
  })

  it('is reviewed by somebody else, once it is over, and may be asked for again then', async () => {
    const scene = await ApprovalScene.set({ breakGlass })
    await askAs(scene, ana, brief)
    await scene.is('Expired')
    expect(await comesToBeRefused((query) => askAs(scene, bo, {}, 'second', query)))
      .to.contain('[break-glass-unreviewed]')
      .and.contain(`grant ${scene.namespace}/rollout of ServiceAccount ${scene.namespace}/api is not reviewed yet`)
    expect(await refused(scene.say(ana, 'Review'))).to.contain(`${ana.user} asked for the grant`)
    expect(await refused(scene.say({ user: scene.subject }, 'Review'))).to.contain('is the subject of the grant')
    expect(await refused(scene.say(eve, 'Review'))).to.contain('[approver-not-allowed]')
    expect(await refused(scene.say(bo, 'Approve'))).to.contain('[approval-out-of-time]')
    await admittedSoon((query) => scene.say(bo, 'Review', {}, query))
    const reviewed = await eventually('it is reviewed', async () => {
      const grant = await scene.grant()
      return grant['status'].review.reviewedAt === undefined ? undefined : grant
    })
    expect(reviewed['status'].review.reviewedBy).to.equal(bo.user)
    expect(reviewed['status'].state).to.equal('Expired')
    await eventually('it is not counted any more', async () => (await unreviewedIn(scene)) === undefined || undefined)
    await eventually('it may be asked for again', () => askAs(scene, ana, {}, 'second').catch(() => undefined))
    await scene.is('Active', 'second')
    expect(await refused(scene.say(bo, 'Review', { name: 'second' }))).to.contain('has not ended yet')
  })

  it('blocks no other subject while its review is not due, and everybody once it is overdue', async () => {
    const [[patient, free], [strict, blocked]] = await Promise.all([withAnother('1h'), withAnother('1s')])
    await Promise.all([askAs(patient, ana, brief), askAs(strict, ana, brief)])
    await patient.is('Expired')
    expect(await comesToBeRefused((query) => askAs(patient, ana, {}, 'again', query))).to.contain('not reviewed yet')
    await admittedSoon((query) => askAs(patient, ana, free, 'other', query))
    const { status } = await strict.is('Expired')
    await eventually('the review is overdue', async () => Date.now() > Date.parse(status.review.dueBy) || undefined)
    const message = await comesToBeRefused((query) => askAs(strict, ana, blocked, 'third', query))
    expect(message).to.contain('[break-glass-unreviewed]').and.contain('was due for review at')
    await strict.ask(blocked, strict.admin, 'ordinary')
    await strict.is('Active', 'ordinary')
  })

  it('does not get rid of its review by being deleted', async () => {
    const scene = await ApprovalScene.set({ breakGlass })
    await askAs(scene)
    await scene.is('Active')
    const path = `${paths.grants(scene.namespace)}/rollout`
    expect(await refused(scene.admin.delete(path)))
      .to.contain('[record-kept]')
      .and.contain('set spec.revoke')
    await scene.admin.patch(path, { spec: { revoke: { reason: 'over' } } })
    await scene.is('Revoked')
    expect(await refused(scene.admin.delete(path))).to.contain('[record-kept]')
    await admittedSoon((query) => scene.say(bo, 'Review', {}, query))
    await eventually('it may be deleted', () => scene.admin.delete(path).catch(() => undefined))
  })

  it('is denied by who may deny', async () => {
    const scene = await ApprovalScene.set({ approval, breakGlass })
    await askAs(scene)
    await scene.is('Active')
    await scene.say(bo, 'Deny', { reason: 'a drill' })
    const { status } = await scene.is('Revoked')
    expect(status.endedReason).to.equal('denied by bo@example.com: a drill')
    await eventually('the access is gone', async () => ((await scene.may()) ? undefined : true))
  })
})
