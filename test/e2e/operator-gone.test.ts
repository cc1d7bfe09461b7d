import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'

import { ApprovalScene, ana } from '../support/approval-scene.ts'
import { eventually } from '../support/eventually.ts'
import { guardedCluster, type GuardedCluster } from '../support/guarded-cluster.ts'
import { paths } from '../support/scene.ts'

const page = join(import.meta.dirname, '../../docs/runbooks/operator-gone.md')
const leads = [{ kind: 'Group', name: 'leads' }]
const breakGlass = { requesters: leads, maxDuration: '10m', reviewWithin: '1h', reviewers: leads }
const urgent = { breakGlass: { incident: 'INC-77' }, permissions: ['read'], subject: leads[0], duration: '10m' }

/** The arguments of every kubectl command below a heading, in their order. */
async function commandsOf(step: number): Promise<readonly (readonly string[])[]> {
  const text = (await readFile(page, 'utf8')).replaceAll('\\\n', '')
  const section = text.split(/^## /m).find((each) => each.startsWith(`${step}. `)) ?? ''
  const lines = [...section.matchAll(/^kubectl (.*)$/gm)].map(([, line = '']) => line)
  return lines.map((line) => (line.match(/(?:'[^']*'|[^ '])+/g) ?? []).map((word) => word.replaceAll("'", '')))
}

describe('docs/runbooks/operator-gone.md', () => {
  let cluster: GuardedCluster
  let scene: ApprovalScene
  let isRunning = true
  before(async function () {
    this.timeout(180_000)
    cluster = await guardedCluster()
    scene = await ApprovalScene.set({ breakGlass })
    await Promise.all([scene.ask(), scene.ask(urgent, scene.admin.as(ana), 'urgent')])
    await Promise.all([scene.is('Active'), scene.is('Active', 'urgent')])
    isRunning = false
    await cluster.lapse.controller.stop()
  })
  after(async () => {
    if (!isRunning) await cluster.lapse.startController()
  })

  const kubectl = (args: readonly string[]) => cluster.controlPlane.kubectl(args)
  const carriers = async () =>
    (await scene.admin.list(paths.roleBindings(scene.namespace))).filter(
      ({ metadata }) => metadata?.labels?.['lapse.dev/grant-uid'] !== undefined,
    )

  it('lists what was granted (step 2)', async () => {
    const [list = []] = await commandsOf(2)
    const { stdout, stderr } = await kubectl(list)
    expect(stdout.match(new RegExp(`^${scene.namespace} `, 'gm')), stderr).to.have.length(2)
  })

  it('ends all of it while no controller runs, emergencies by a revocation (step 3)', async () => {
    const [list = [], patch = [], remove = [], unbind = []] = await commandsOf(3)
    await eventually('the subject has its access before', async () => (await scene.may()) || undefined)
    const found = (await kubectl(list)).stdout.trim().split('\n')
    expect(found).to.include(`${scene.namespace} urgent`)
    for (const [namespace = '', name = ''] of found.map((line) => line.split(' ')))
      await kubectl(patch.map((word) => ({ NAMESPACE: namespace, NAME: name })[word] ?? word))
    const removal = await kubectl(remove)
    expect(removal.stdout).to.include(`nhigrant.lapse.dev "rollout" deleted`)
    expect(removal.stderr).to.include('[record-kept]')
    expect((await kubectl(unbind)).code).to.equal(0)
    await eventually('the access is gone', async () => ((await scene.may()) ? undefined : true))
    expect(await carriers()).to.deep.equal([])
  })

  it('keeps it ended when the controller is started again (step 4)', async () => {
    await cluster.lapse.startController()
    isRunning = true
    const { status } = await scene.is('Revoked', 'urgent')
    expect(status.endedReason).to.include('ended by hand')
    expect(await scene.find(`${paths.grants(scene.namespace)}/rollout`)).to.equal(null)
    expect(await carriers()).to.deep.equal([])
    expect(await scene.may()).to.equal(false)
  })
})
