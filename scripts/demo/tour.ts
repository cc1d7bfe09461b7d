import type { CommandResult } from '../../test/support/command.ts'
import type { ControlPlane } from '../../test/support/control-plane.ts'
import type { Installation } from '../../test/support/installation.ts'
import type { Narrator } from './narrator.ts'
import { untilAnswer, untilCollectorKnows, type Question } from './probe.ts'
import { Stage } from './stage.ts'

export interface TourParts {
  readonly controlPlane: ControlPlane
  readonly lapse: Installation
  readonly narrator: Narrator
  /** Leave the operator running at the end, for who wants to go on by hand. */
  readonly keep: boolean
}

const deployer: Question = {
  username: 'system:serviceaccount:payments:deployer',
  namespace: 'payments',
  verb: 'patch',
  group: 'apps',
  resource: 'deployments',
}
const canI = ['auth', 'can-i', 'patch', 'deployments.apps', '-n', 'payments']

/** The story of examples/payments. Throws at the first step that does not go as told. */
export async function tour(parts: TourParts): Promise<void> {
  const { controlPlane, narrator } = parts
  const stage = new Stage(controlPlane, narrator)
  await applyPolicy(stage, narrator)
  const kubeconfig = await controlPlane.kubeconfigForServiceAccount('payments', 'deployer')
  await useAccess(stage, narrator, kubeconfig)
  await refuseWorkloads(stage, narrator)
  await changePolicy(stage, narrator, kubeconfig)
  await loseOperator(parts, stage, kubeconfig)
}

async function applyPolicy(stage: Stage, narrator: Narrator): Promise<void> {
  narrator.step('A platform team applies a policy: who may ask, for what, how long, and how their workloads must look.')
  await stage.apply('namespace.yaml', 'succeeds')
  await stage.apply('serviceaccount.yaml', 'succeeds')
  await stage.apply('request-access.yaml', 'succeeds')
  await stage.apply('policy-1.4.0.yaml', 'succeeds')
  await stage.kubectl(['wait', '--for=condition=Ready', 'nhip/payments-deploy', '--timeout=30s'])
  await stage.kubectl(['get', 'nhip'])
}

async function useAccess(stage: Stage, narrator: Narrator, kubeconfig: string): Promise<void> {
  narrator.step('A CI job holds nothing. It asks, by its own token, and has what the policy allows, for five seconds.')
  await stage.controlPlane
    .kubectl(canI, { kubeconfig })
    .then((result) => narrator.output(said('before: may it patch Deployments?', result)))
  const asked = Date.now()
  await stage.apply('grant.yaml', 'succeeds', { kubeconfig, replace: { 'duration: 30m': 'duration: 5s' } })
  const yes = await untilAnswer(stage.controlPlane, deployer, true)
  narrator.measured(`access ${yes - asked} ms after kubectl was started`)
  await stage.kubectl(canI, { kubeconfig })
  await stage.kubectl(['get', 'nhig', '-n', 'payments'])

  narrator.step('Its time ends. Nobody does anything.')
  await untilAnswer(stage.controlPlane, deployer, false)
  await stage.kubectl([
    'wait',
    '--for=jsonpath={.status.state}=Expired',
    'nhig/rollout-2041',
    '-n',
    'payments',
    '--timeout=30s',
  ])
  await stage.controlPlane
    .kubectl(canI, { kubeconfig })
    .then((result) => narrator.output(said('after: may it patch Deployments?', result)))
  await stage.kubectl(['get', 'nhig', '-n', 'payments'])
  const overstay = await stage.controlPlane.kubectl([
    'get',
    'nhig',
    'rollout-2041',
    '-n',
    'payments',
    '-o',
    'jsonpath={.status.revocation.overstay}',
  ])
  narrator.measured(`over-stay: access outlived its end by ${overstay.stdout}, proved by SubjectAccessReview`)
}

function said(question: string, result: CommandResult): CommandResult {
  return { ...result, stdout: `${question} ${result.stdout}`, stderr: '' }
}

async function refuseWorkloads(stage: Stage, narrator: Narrator): Promise<void> {
  narrator.step('A Deployment that asks for more is refused: a hostPath, and standing access to Secrets.')
  await stage.apply('legacy-access.yaml', 'succeeds')
  await stage.apply('deployment-bad.yaml', { refusedWith: 'secrets-read' })
  narrator.step('One that stays within the policy is admitted.')
  await stage.apply('deployment-good.yaml', 'succeeds')
}

async function changePolicy(stage: Stage, narrator: Narrator, kubeconfig: string): Promise<void> {
  narrator.step('The policy changes: no release, no restart. The very next decision is made by the new version.')
  await stage.apply('policy-1.5.0.yaml', 'succeeds')
  const changed = Date.now()
  await stage.apply('deployment-stale.yaml', { refusedWith: 'pin-stale' })
  narrator.measured(`refused ${Date.now() - changed} ms after the change, kubectl included`)
  await stage.apply(
    'grant.yaml',
    { refusedWith: 'duration-too-long' },
    { kubeconfig, replace: { 'rollout-2041': 'rollout-2042' } },
  )
  await stage.kubectl(['get', 'nhir'])
}

async function loseOperator(parts: TourParts, stage: Stage, kubeconfig: string): Promise<void> {
  const { narrator, lapse, controlPlane } = parts
  await untilCollectorKnows(controlPlane)
  narrator.step('The operator is killed while access is live. Deleting the grant revokes it all the same.')
  await stage.kubectl(['wait', '--for=condition=Ready', 'nhip/payments-deploy', '--timeout=30s'])
  await stage.apply('grant.yaml', 'succeeds', {
    kubeconfig,
    replace: { 'rollout-2041': 'rollout-2043', 'duration: 30m': 'duration: 10m' },
  })
  await untilAnswer(controlPlane, deployer, true)
  await stage.kubectl(['wait', '--for=condition=Ready', 'nhig/rollout-2043', '-n', 'payments', '--timeout=30s'])
  await Promise.all([lapse.controller.kill(), lapse.webhook.kill()])
  narrator.say('(kill -9: controller and webhook)')
  const deleted = Date.now()
  await stage.kubectl(['delete', 'nhig', 'rollout-2043', '-n', 'payments'])
  const gone = await untilAnswer(controlPlane, deployer, false)
  narrator.measured(`access gone ${gone - deleted} ms after kubectl was started, with nothing of Lapse running`)
  if (parts.keep) await Promise.all([lapse.startController(), lapse.startWebhook()])
}
