import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadAll } from 'js-yaml'
import { examplesFolder } from '../../scripts/checks-page.ts'
import { defaultedPod } from '../../src/core/workload/defaulted-pod.ts'
import { checkPodSecurity } from '../../src/core/workload/pod-security.ts'
import { tokenReachable } from '../../src/core/workload/token.ts'
import { readWorkload } from '../../src/core/workload/workload.ts'
import { ApiError, type KubeObject } from '../support/admin-api.ts'
import type { ControlPlane } from '../support/control-plane.ts'
import { controlPlane } from '../support/shared-control-plane.ts'

const app = { name: 'app', image: 'app:1.0' }

/** Pods whose verdict hangs on what the API server fills in. */
const special: readonly (readonly [sentence: string, spec: object])[] = [
  ['ports on the network of the node', { hostNetwork: true, containers: [{ ...app, ports: [{ containerPort: 80 }] }] }],
  [
    'ports of init containers on the network of the node',
    { hostNetwork: true, containers: [app], initContainers: [{ ...app, name: 'i', ports: [{ containerPort: 53 }] }] },
  ],
  ['a volume without a source', { containers: [app], volumes: [{ name: 'scratch' }] }],
  ['empty security contexts', { containers: [{ ...app, securityContext: {} }], securityContext: {} }],
  [
    'empty seLinuxOptions and probes',
    {
      containers: [
        { ...app, livenessProbe: { httpGet: { port: 80 } }, lifecycle: { preStop: { httpGet: { port: 80 } } } },
      ],
      securityContext: { seLinuxOptions: {}, windowsOptions: {} },
    },
  ],
  [
    'a projected token without a lifetime',
    { containers: [app], volumes: [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }] },
  ],
]

/** Every Pod among the examples, by the path below the folder. */
function examples(): readonly (readonly [sentence: string, pod: KubeObject])[] {
  return readdirSync(examplesFolder).flatMap((id) =>
    ['fails.yaml', 'passes.yaml'].flatMap((file) => {
      const documents = loadAll(readFileSync(join(examplesFolder, id, file), 'utf8')) as KubeObject[]
      return documents.filter(({ kind }) => kind === 'Pod').map((pod) => [`${id}/${file}`, pod] as const)
    }),
  )
}

/** Check and field of each breach, at both levels. */
function brokenBy(pod: KubeObject): readonly string[] {
  const reading = readWorkload({ apiVersion: 'v1', kind: 'Pod', ...pod })
  if (!reading.ok || reading.workload === null) throw new Error(JSON.stringify(reading))
  const { workload } = reading
  const judged = { spec: defaultedPod(workload.pod), annotations: workload.annotations }
  const findings = (['baseline', 'restricted'] as const).flatMap((level) =>
    checkPodSecurity(judged, level, 'latest', 'spec'),
  )
  const reach = tokenReachable(workload.pod, null).reachable
  return [...findings.map(({ check, path, message }) => `${check} ${path} ${message}`), `token in reach: ${reach}`]
}

describe('a Pod as it is written and as the API server stores it', () => {
  let cp: ControlPlane
  let namespace: string

  before(async () => {
    cp = controlPlane()
    namespace = await cp.namespace()
    for (const name of ['app', 'gone'])
      await cp.admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } })
  })

  /** Nothing is stored; null: the API server takes no such Pod. */
  async function stored(pod: KubeObject): Promise<KubeObject | null> {
    const object = { ...pod, metadata: { ...pod.metadata, name: 'p', namespace } }
    try {
      return await cp.admin.create(`/api/v1/namespaces/${namespace}/pods?dryRun=All`, object)
    } catch (error) {
      if (error instanceof ApiError && error.reason === 'Invalid') return null
      throw error
    }
  }

  for (const [sentence, spec] of special) {
    it(`is judged alike, with ${sentence}`, async () => {
      const written = { apiVersion: 'v1', kind: 'Pod', spec }
      const after = await stored(written)
      if (after === null) throw new Error('the API server takes no such Pod')
      expect(brokenBy(written)).to.deep.equal(brokenBy(after))
    })
  }

  it('is judged alike in every example that the API server takes', async () => {
    const refused: string[] = []
    for (const [sentence, pod] of examples()) {
      const after = await stored(pod)
      if (after === null) refused.push(sentence)
      else expect(brokenBy(pod), sentence).to.deep.equal(brokenBy(after))
    }
    // A process of a Windows node has its network, which the API server asks for and another check finds.
    expect(refused).to.deep.equal(['windows-host-process/fails.yaml'])
  })
})
