import { expect } from 'chai'

import { ApiError } from '../support/admin-api.ts'
import { ApprovalScene, admittedSoon, ana, bo, eve, refusedSoon, type Write } from '../support/approval-scene.ts'
import { eventually } from '../support/eventually.ts'
import { guardedCluster, rejection } from '../support/guarded-cluster.ts'
import { conditionOf, paths } from '../support/scene.ts'

const byLeads = { by: [{ kind: 'Group', name: 'leads' }] }
const one = { approval: { required: 1, ...byLeads } }
const two = { approval: { required: 2, ...byLeads } }
const robotsAndLeads = [...byLeads.by, { kind: 'Group', name: 'system:serviceaccounts' }]
const soon = (ms: number): string => new Date(Date.now() + ms).toISOString()

/** What the webhook says to what it refuses. */
const refused = async (write: Promise<unknown>): Promise<string> => {
  const { message } = await rejection(write)
  return saidByLapse(message)
}
/** The same where it has yet to hear of what stands against it. */
const comesToBeRefused = async (write: Write): Promise<string> => saidByLapse(await refusedSoon(write))
const saidByLapse = (message: string): string => {
  expect(message).to.contain('denied by lapse')
  return message.replaceAll(/ +/g, ' ')
}

describe('approvals', () => {
  before(async function () {
    this.timeout(180_000)
    await guardedCluster()
  })

  it('are waited for, and the grant is issued with the first that counts', async () => {
    const scene = await ApprovalScene.set(one)
    await scene.ask()
    const waiting = await scene.is('AwaitingApproval')
    expect(conditionOf(waiting, 'Ready')).to.include({ status: 'False', reason: 'AwaitingApproval' })
    expect(conditionOf(waiting, 'Ready')?.['message']).to.equal('0 of 1 approvals, by Group leads')
    expect(waiting['status'].approvals).to.deep.equal({
      required: 1,
      digest: (await scene.meant()).grantDigest,
      given: [],
    })
    expect(await scene.may()).to.equal(false)
    const said = await scene.say(ana)
    expect(said['spec'].approver).to.equal(ana.user)
    const active = await scene.is('Active')
    expect(active['status'].approvals.given).to.deep.equal([{ name: said.metadata!.name, approver: ana.user }])
    await scene.mayAtLast()
  })

  it('stand until their grant is over, and are owned by it', async () => {
    const scene = await ApprovalScene.set(one)
    const { metadata } = await scene.ask()
    await scene.is('AwaitingApproval')
    const said = await scene.say(ana)
    await scene.is('Active')
    const owner = { apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant', name: 'rollout', uid: metadata!.uid }
    expect(said.metadata!['ownerReferences']).to.deep.equal([
      { ...owner, controller: false, blockOwnerDeletion: false },
    ])
    const path = `${paths.approvals(scene.namespace)}/${said.metadata!.name}`
    expect(await refused(scene.admin.as(eve).delete(path))).to.contain('[record-kept] what is said of grant rollout')
    const collector = { user: 'system:serviceaccount:kube-system:generic-garbage-collector' }
    await scene.admin.as(collector).delete(`${path}?dryRun=All`)
    await scene.admin.delete(`${paths.grants(scene.namespace)}/rollout`)
    await eventually('it may be deleted', () =>
      scene.admin
        .as(eve)
        .delete(path)
        // the garbage collector may have been first
        .catch((error: unknown) => (error instanceof ApiError && error.status === 404 ? true : undefined)),
    )
  })

  it('go with their namespace while no webhook answers', async function () {
    this.timeout(120_000)
    const scene = await ApprovalScene.set(two)
    await scene.ask()
    await scene.is('AwaitingApproval')
    await scene.say(ana)
    const { webhook } = scene.cluster.lapse
    webhook.pause()
    try {
      await scene.admin.delete(`/api/v1/namespaces/${scene.namespace}`)
      await eventually(
        'the namespace is gone',
        async () => ((await scene.find(`/api/v1/namespaces/${scene.namespace}`)) === null ? true : undefined),
        60_000,
      )
    } finally {
      webhook.resume()
    }
  })

  it('two of two are two people', async () => {
    const scene = await ApprovalScene.set(two)
    await scene.ask()
    await scene.is('AwaitingApproval')
    // the second may be let pass by a webhook that has yet to hear of the first
    const said = await Promise.allSettled([scene.say(ana), scene.say(ana)])
    expect(said.map(({ status }) => status)).to.include('fulfilled')
    const half = await eventually('the first is counted', async () => {
      const grant = await scene.grant()
      return conditionOf(grant, 'Ready')?.['message'].startsWith('1 of 2') ? grant : undefined
    })
    expect(half['status'].state).to.equal('AwaitingApproval')
    await scene.say(bo)
    await scene.is('Active')
  })

  it('are said once: again only with another decision, or when the grant or its policy is another', async () => {
    const terms = { ...two, requesters: [{ kind: 'User', name: 'admin' }] }
    const scene = await ApprovalScene.set(terms)
    await scene.ask()
    await scene.is('AwaitingApproval')
    const first = await scene.say(ana)
    const told = `ana@example.com has already approved this grant as it is: ${first.metadata!.name}`
    expect(await comesToBeRefused((query) => scene.say(ana, 'Approve', {}, query))).to.contain(
      `[approval-repeated] spec: ${told}`,
    )
    expect(await refused(scene.say(ana, 'Approve', { reason: 'as before' }))).to.contain(told)
    expect(await scene.approvals()).to.have.length(1)
    await scene.ask({}, scene.admin, 'another')
    await scene.is('AwaitingApproval', 'another')
    await scene.say(ana, 'Approve', { name: 'another' })
    await scene.apply(terms, '1.1.0')
    await eventually('it waits under the new version', async () => {
      const { status } = await scene.grant()
      return status.approvals?.digest === (await scene.meant()).grantDigest || undefined
    })
    await scene.say(ana)
    await eventually('it counts under the new version', async () =>
      conditionOf(await scene.grant(), 'Ready')?.['message'].startsWith('1 of 2') ? true : undefined,
    )
    await scene.say(ana, 'Deny', { reason: 'changed my mind' })
    expect((await scene.is('Denied'))['status'].endedReason).to.equal('denied by ana@example.com: changed my mind')
    expect(await scene.approvals()).to.have.length(4)
  })

  it('F16: are not given by who asked, by the subject, or by a member of it, however they are spelled', async () => {
    const scene = await ApprovalScene.set({
      approval: {
        required: 1,
        by: [
          { kind: 'Group', name: 'leads' },
          { kind: 'User', name: 'admin' },
          { kind: 'Group', name: 'system:serviceaccounts' },
          { kind: 'Group', name: 'system:masters' },
        ],
      },
    })
    const api = { user: scene.subject }
    await scene.ask({}, scene.admin.as(ana))
    await scene.is('AwaitingApproval')
    expect(await refused(scene.say(ana))).to.contain(`${ana.user} asked for the grant`)
    expect(await refused(scene.say(api))).to.contain(`${scene.subject} is the subject of the grant`)
    await scene.ask({ subject: { kind: 'User', name: scene.subject } }, scene.admin, 'as-user')
    await scene.is('AwaitingApproval', 'as-user')
    expect(await refused(scene.say(api, 'Approve', { name: 'as-user' }))).to.contain('is the subject of the grant')
    await scene.ask({ subject: { kind: 'Group', name: 'leads' } }, scene.admin, 'as-group')
    await scene.is('AwaitingApproval', 'as-group')
    expect(await refused(scene.say(bo, 'Approve', { name: 'as-group' }))).to.contain('is a member of Group leads')
    for (const name of ['rollout', 'as-user', 'as-group'])
      expect((await scene.grant(name))['status'].state).to.equal('AwaitingApproval')
    expect(await scene.approvals()).to.deep.equal([])
  })

  it('F16: are given by nobody where nobody is listed', async () => {
    const steps = [{ name: 'calm', expression: 'false', otherwise: 'StepUp' }]
    const scene = await ApprovalScene.set({ approval: { by: [] }, conditions: steps })
    expect(await refused(scene.ask()))
      .to.contain('[approval-impossible]')
      .and.contain('lets nobody approve')
    const change = rejection(scene.apply({ approval: { required: 1, by: [] } }, '1.1.0'))
    expect((await change).message).to.contain('needs somebody in approval.by')
  })

  it('are not given by who is not listed, or in the name of another', async () => {
    const scene = await ApprovalScene.set(one)
    await scene.ask()
    await scene.is('AwaitingApproval')
    expect(await refused(scene.say(eve)))
      .to.contain('[approver-not-allowed]')
      .and.contain('only these may: Group leads')
    expect(await refused(scene.say(eve, 'Approve', { approver: ana.user }))).to.contain('[approver-not-allowed]')
  })

  it('are not believed when nobody stamps them', async () => {
    const scene = await ApprovalScene.set(one)
    await scene.ask()
    await scene.is('AwaitingApproval')
    const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
    const { metadata, webhooks } = await scene.admin.get(`${path}/lapse`)
    await scene.admin.delete(`${path}/lapse`)
    try {
      const told = await eventually('nothing is stamped', async () => {
        const message = await rejection(scene.say(ana, 'Approve', {}, '?dryRun=All')).catch(() => null)
        return message === null ? undefined : message
      })
      expect(told.message).to.contain('[approver-forged]').and.contain('but is not there')
      expect(await refused(scene.say(eve, 'Approve', { approver: ana.user }))).to.contain('not ana@example.com')
    } finally {
      const labels = metadata?.labels ?? {}
      await scene.admin.create(path, { metadata: { name: 'lapse', labels }, webhooks })
      await eventually('it is stamped again', async () => {
        const made = await scene.say(ana, 'Approve', {}, '?dryRun=All').catch(() => undefined)
        return made?.['spec'].approver === ana.user ? true : undefined
      })
    }
    expect((await scene.grant())['status'].state).to.equal('AwaitingApproval')
  })

  it('invariant 11: leave no trace in a dry run', async () => {
    const scene = await ApprovalScene.set(one)
    await scene.ask()
    await scene.is('AwaitingApproval')
    await scene.say(ana, 'Approve', {}, '?dryRun=All')
    await scene.say(ana, 'Deny', {}, '?dryRun=All')
    expect(await scene.approvals()).to.deep.equal([])
    expect((await scene.grant())['status'].state).to.equal('AwaitingApproval')
  })

  it('a denial ends what waits, and what lives', async () => {
    const scene = await ApprovalScene.set(one)
    await scene.ask()
    await scene.is('AwaitingApproval')
    await scene.say(bo, 'Deny', { reason: 'not today' })
    const denied = await scene.is('Denied')
    expect(denied['status'].endedReason).to.equal('denied by bo@example.com: not today')
    expect(conditionOf(denied, 'Ready')).to.include({ reason: 'DeniedByApprover' })
    expect(await comesToBeRefused((query) => scene.say(ana, 'Approve', {}, query))).to.contain('[approval-out-of-time]')
    await scene.ask({}, scene.admin, 'second')
    await scene.is('AwaitingApproval', 'second')
    await scene.say(ana, 'Approve', { name: 'second' })
    await scene.is('Active', 'second')
    await scene.say(bo, 'Deny', { name: 'second', reason: 'enough' })
    expect((await scene.ends('Revoked', 'second'))['status'].endedReason).to.equal('denied by bo@example.com: enough')
    expect(await scene.may()).to.equal(false)
  })

  it('are for one grant as it was looked at: not for one of the same name, or under another version', async () => {
    const scene = await ApprovalScene.set(one)
    await scene.ask()
    await scene.is('AwaitingApproval')
    const before = await scene.meant()
    expect(await refused(scene.say(ana, 'Approve', { grantDigest: 'sha256:0' }))).to.contain('[approval-outdated]')
    await scene.admin.delete(`${paths.grants(scene.namespace)}/rollout`)
    await scene.ask({ permissions: ['read'] })
    await scene.is('AwaitingApproval')
    const sayOf = (meant: typeof before) => comesToBeRefused((query) => scene.say(ana, 'Approve', { ...meant }, query))
    expect(await sayOf(before)).to.contain('[approval-grant-missing]')
    const old = await scene.meant()
    await scene.apply({ approval: { required: 2, ...byLeads } }, '1.1.0')
    expect(await sayOf(old)).to.contain('[approval-outdated]')
  })

  it('count again under a new version of the policy only when they were given under it', async () => {
    // by name: a group is known under the version that the grant was admitted by only
    const requesters = [{ kind: 'User', name: 'admin' }]
    const scene = await ApprovalScene.set({ ...two, requesters })
    await scene.ask()
    await scene.is('AwaitingApproval')
    await scene.say(ana)
    await scene.apply({ ...one, requesters }, '1.1.0')
    const waiting = await eventually('it waits under the new version', async () => {
      const grant = await scene.grant()
      return conditionOf(grant, 'Ready')?.['message'].startsWith('0 of 1') ? grant : undefined
    })
    expect(waiting['status'].state).to.equal('AwaitingApproval')
    await scene.say(bo)
    await scene.is('Active')
  })

  it('count for nothing once their ServiceAccount is gone', async () => {
    const scene = await ApprovalScene.set({ approval: { required: 2, by: robotsAndLeads } })
    const accounts = paths.serviceAccounts(scene.namespace)
    await scene.admin.create(accounts, { metadata: { name: 'robot' } })
    await scene.admin.create(accounts, { metadata: { name: 'other' } })
    await scene.ask()
    await scene.is('AwaitingApproval')
    const subject = { kind: 'ServiceAccount', namespace: scene.namespace, name: 'other' }
    await admittedSoon((query) => scene.ask({ subject }, scene.admin, 'of-another', query))
    await scene.is('AwaitingApproval', 'of-another')
    await scene.say({ user: `system:serviceaccount:${scene.namespace}:robot` })
    await eventually('it is counted', async () =>
      conditionOf(await scene.grant(), 'Ready')?.['message'].startsWith('1 of 2') ? true : undefined,
    )
    await scene.admin.delete(`${accounts}/robot`)
    await scene.admin.delete(`${accounts}/other`)
    // nothing looks again at the grant for that alone: the grant of the one that went next shows that the news has come
    await eventually('it is known that both are gone', async () =>
      conditionOf(await scene.grant('of-another'), 'Ready')?.['message'].includes('[subject-missing]')
        ? true
        : undefined,
    )
    await scene.say(ana)
    await eventually('only one counts', async () => {
      const { status } = await scene.grant()
      return status.approvals?.given.some((each: { approver: string }) => each.approver === ana.user) ? true : undefined
    })
    expect((await scene.grant())['status']).to.include({ state: 'AwaitingApproval' })
  })

  it('F3: come too late when the window has passed, or the time to wait has run out', async () => {
    const scene = await ApprovalScene.set({ approval: { required: 1, ...byLeads, within: '5s' } })
    await Promise.all([scene.ask(), scene.ask({ notAfter: soon(5_000) }, scene.admin, 'window')])
    await Promise.all([scene.is('AwaitingApproval'), scene.is('AwaitingApproval', 'window')])
    const late = await scene.is('Denied')
    expect(conditionOf(late, 'Ready')).to.include({ reason: 'NotApproved' })
    expect(late['status'].endedReason).to.match(/^not approved by /)
    const passed = await scene.is('Denied', 'window')
    for (const grant of [late, passed]) expect(grant['status'].objects).to.equal(undefined)
    expect(await refused(scene.say(ana))).to.contain('[approval-out-of-time]')
    expect(await refused(scene.say(ana, 'Approve', { name: 'window' }))).to.contain('[approval-out-of-time]')
    expect(await scene.may()).to.equal(false)
  })

  it('F5: leave a grant as it was approved, and are themselves left', async () => {
    const scene = await ApprovalScene.set(one)
    await scene.ask()
    await scene.is('AwaitingApproval')
    const said = await scene.say(ana)
    await scene.is('Active')
    const path = `${paths.grants(scene.namespace)}/rollout`
    const { message } = await rejection(scene.admin.patch(path, { spec: { permissions: ['rollout', 'read'] } }))
    expect(message).to.match(/immutable/)
    const approval = `${paths.approvals(scene.namespace)}/${said.metadata!.name}`
    for (const spec of [{ decision: 'Deny' }, { approver: eve.user }])
      expect((await rejection(scene.admin.patch(approval, { spec }))).message).to.contain('immutable')
    await scene.admin.patch(approval, { metadata: { labels: { a: 'b' } } })
  })

  it('F6: are not written into the status', async () => {
    const scene = await ApprovalScene.set(one)
    await scene.ask()
    const waiting = await scene.is('AwaitingApproval')
    const given = [{ name: 'mine', approver: ana.user }]
    const status = { ...waiting['status'], approvals: { ...waiting['status'].approvals, given } }
    const path = `${paths.grants(scene.namespace)}/rollout/status`
    expect(await refused(scene.admin.patch(path, { status }))).to.contain('[status-guarded]')
    expect(await scene.may()).to.equal(false)
  })
})

describe('conditions of grants, while they wait and live', () => {
  before(async function () {
    this.timeout(180_000)
    await guardedCluster()
  })

  const calm = "!('alarm' in namespaceObject.metadata.labels)"
  const stepUp = { name: 'calm', expression: calm, otherwise: 'StepUp', message: 'there is an alarm' }

  it('StepUp asks for an approval of what waits, and waits no longer once it holds', async () => {
    const scene = await ApprovalScene.set({ approval: byLeads, conditions: [stepUp] }, { alarm: 'red' })
    await scene.ask()
    const waiting = await scene.is('AwaitingApproval')
    expect(conditionOf(waiting, 'Ready')?.['message']).to.contain('0 of 1').and.contain('there is an alarm')
    await scene.label({ alarm: null })
    await scene.is('Active')
  })

  it('StepUp that turns false ends what lives without an approval, and not what has one', async () => {
    const noReader = { name: 'no-reader', expression: "!('read' in grant.spec.permissions)", otherwise: 'StepUp' }
    const scene = await ApprovalScene.set({ approval: byLeads, conditions: [stepUp, noReader] })
    await scene.ask()
    await scene.ask({}, scene.admin, 'approved')
    await scene.ask({ permissions: ['read'] }, scene.admin, 'waits')
    await scene.is('Active')
    await scene.is('Active', 'approved')
    await scene.is('AwaitingApproval', 'waits')
    const said = await scene.say(ana, 'Approve', { name: 'approved' })
    // nothing says of a grant that needs none that its approval is known: the next one, which is waited for, does
    await scene.say(ana, 'Approve', { name: 'waits' })
    await scene.is('Active', 'waits')
    await scene.label({ alarm: 'red' })
    const revoked = await scene.is('Revoked')
    expect(revoked['status'].endedReason).to.equal('an approval is needed now: there is an alarm')
    const kept = await eventually('the approval counts', async () => {
      const grant = await scene.grant('approved')
      return grant['status'].approvals === undefined && grant['status'].state === 'Active' ? undefined : grant
    })
    expect(kept['status'].state).to.equal('Active')
    expect(kept['status'].approvals.given).to.deep.equal([{ name: said.metadata!.name, approver: ana.user }])
  })

  it('StepUp that looks at the request asks for an approval wherever the request is not known', async () => {
    const robots = { name: 'robots', expression: "'robots' in request.userInfo.groups", otherwise: 'StepUp' }
    const scene = await ApprovalScene.set({ approval: byLeads, conditions: [robots] })
    await scene.ask()
    await scene.is('AwaitingApproval')
    await scene.say(ana)
    await scene.is('Active')
  })

  it('Constrain shortens what lives, and Deny revokes it', async () => {
    const constrain = { ...stepUp, otherwise: 'Constrain', constrain: { maxDuration: '5m' } }
    const peace = { name: 'peace', expression: "!('war' in namespaceObject.metadata.labels)" }
    const scene = await ApprovalScene.set({ conditions: [constrain, peace] })
    await scene.ask()
    const before = await scene.is('Active')
    await scene.label({ alarm: 'red' })
    const shorter = await eventually('it is shortened', async () => {
      const grant = await scene.grant()
      return grant['status'].notAfter === before['status'].notAfter ? undefined : grant
    })
    const { issuedAt, notAfter, state } = shorter['status']
    expect(Date.parse(notAfter) - Date.parse(issuedAt)).to.equal(300_000)
    expect(state).to.equal('Active')
    expect(conditionOf(shorter, 'Constrained')?.['message']).to.contain('there is an alarm')
    await scene.label({ alarm: null })
    await scene.label({ war: 'yes' })
    const revoked = await scene.ends('Revoked')
    expect(revoked['status'].notAfter).to.equal(notAfter)
    expect(revoked['status'].endedReason).to.contain('condition peace does not hold')
    expect(await scene.may()).to.equal(false)
  })

  it('that look at the time end a grant at the instant at which they turn, and nothing is asked until then', async () => {
    const expression = 'now < timestamp(grant.spec.ticket)'
    const scene = await ApprovalScene.set({ conditions: [{ name: 'hours', expression }] })
    const turn = Date.now() + 5_000
    await scene.ask({ ticket: new Date(turn).toISOString() })
    await scene.is('Active')
    await eventually('its issue is told', async () => {
      const events = await scene.admin.list(`/apis/events.k8s.io/v1/namespaces/${scene.namespace}/events`)
      return events.some(({ reason }) => reason === 'Issued') || undefined
    })
    const since = Date.now()
    const ended = await scene.is('Revoked')
    expect(Date.parse(ended['status'].endedAt)).to.be.within(turn, turn + 2_000)
    const operator = 'system:serviceaccount:lapse-system:lapse-controller'
    const calls = await scene.cluster.controlPlane.auditEvents(
      ({ user, objectRef, requestReceivedTimestamp }) =>
        user?.username === operator &&
        objectRef?.namespace === scene.namespace &&
        Date.parse(requestReceivedTimestamp) > since &&
        // it goes by the latest that it may be
        Date.parse(requestReceivedTimestamp) < turn - 1_000,
    )
    expect(calls.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).to.deep.equal([])
  })
})
