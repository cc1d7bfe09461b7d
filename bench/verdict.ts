import { heldCapabilities, memoHeldCapabilities } from '../src/core/rbac/held-capabilities.ts'
import { RbacIndex } from '../src/core/rbac/rbac-index.ts'
import { rbacUserOf } from '../src/core/rbac/subject.ts'
import { reviewWorkload, type Verdict } from '../src/core/workload/review.ts'
import { readWorkload } from '../src/core/workload/workload.ts'
import { WorldIndex } from '../src/world/world-index.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { deployment } from './support/deployments.ts'
import { forbidden, policyOf } from './support/lapse-cluster.ts'
import { measurement, type Measurement } from './support/measurement.ts'
import { median } from './support/percentile.ts'
import { progress } from './support/progress.ts'

const rounds = 15
const perRound = 2_000
const manyPolicies = 20
const manyBindings = 10_000
const judgedIn = 'bench'

export const verdict: Benchmark = {
  name: 'verdict',
  description: `What a decision costs without network, TLS or JSON, in this process; medians of ${rounds} rounds.

verdict/passing, verdict/failing  from the parsed Deployment of bench/review.ts to its verdict and findings: Pod Security at level
                                  restricted, the identity's access against ${forbidden.length} capabilities, the pin; under 1 policy and under ${manyPolicies}.
verdict/parse                     JSON.parse of that Deployment.
access/cold                       what one ServiceAccount holds of those capabilities, among ${manyBindings} bindings, none of it known.
access/warm                       the same again, when nothing has changed.
Goals: 40 µs for a verdict, 5 ms cold, 50 µs warm.`,
  measure: async () => [...verdicts(), ...access()],
}

function verdicts(): readonly Measurement[] {
  progress(`${rounds} rounds of ${perRound} verdicts`)
  const text = JSON.stringify(deployment(judgedIn, 'app', 'passing'))
  const parse = measurement(
    'verdict/parse',
    microsOf(() => void JSON.parse(text)),
    'µs',
  )
  const goal = { of: 'value', is: '≤', bound: 40 } as const
  const figures = [1, manyPolicies].flatMap((policies) =>
    (['passing', 'failing'] as const).map((kind) => {
      const name = `verdict/${kind}${policies === 1 ? '' : `-${policies}-policies`}`
      const micros = microsOf(judgement(kind, policies))
      return measurement(name, micros, 'µs', { against: parse, ...(policies === 1 && { goal }) })
    }),
  )
  return [...figures, parse]
}

function judgement(kind: 'passing' | 'failing', policies: number): () => void {
  const world = new WorldIndex()
  world.put('Namespace', { metadata: { name: judgedIn, labels: { team: 'bench' } } })
  const labels = { 'lapse.dev/nhi': 'deployer' }
  for (const name of ['app', 'legacy'])
    world.put('ServiceAccount', { metadata: { namespace: judgedIn, name, uid: name, labels } })
  for (const policy of Array.from({ length: policies }, (_, index) => policyOf(index)))
    world.put('AccessPolicy', policy)
  fill(world.rbac, 300)
  const expected: Verdict = kind === 'passing' ? 'Allow' : 'Deny'
  const now = Date.now()
  const object: object = JSON.parse(JSON.stringify(deployment(judgedIn, kind === 'passing' ? 'app' : 'legacy', kind)))
  return () => {
    const reading = readWorkload(object)
    if (!reading.ok || reading.workload === null) throw new Error('the Deployment could not be read')
    const { verdict: found, findings } = reviewWorkload(reading.workload, judgedIn, world, now)
    if (found !== expected) throw new Error(`${kind} is ${found}: ${findings.map(({ check }) => check).join(', ')}`)
  }
}

function access(): readonly Measurement[] {
  progress(`one subject among ${manyBindings} bindings, ${rounds} rounds`)
  const user = rbacUserOf({ kind: 'ServiceAccount', namespace: judgedIn, name: 'legacy' })
  const cold: number[] = []
  let index = new RbacIndex()
  for (let round = 0; round < rounds; round++) {
    index = new RbacIndex()
    fill(index, manyBindings)
    const start = performance.now()
    const held = heldCapabilities(user, forbidden, index)
    cold.push(performance.now() - start)
    if (held.length !== 1) throw new Error(`one capability is held, not ${held.length}`)
  }
  const warm = microsOf(() => void memoHeldCapabilities(user, forbidden, index))
  return [
    measurement('access/cold', median(cold), 'ms', { goal: { of: 'value', is: '≤', bound: 5 } }),
    measurement('access/warm', warm, 'µs', { goal: { of: 'value', is: '≤', bound: 50 } }),
  ]
}

/** That many bindings in a tenth as many namespaces; one is of `bench/legacy`, and gives it the Secrets there. */
function fill(index: RbacIndex, bindings: number): void {
  const role = (space: string, name: string, resource: string): void =>
    index.upsert('Role', {
      metadata: meta(space, name),
      rules: [{ apiGroups: [''], resources: [resource], verbs: ['get', 'list', 'watch'] }],
    })
  const bind = (space: string, name: string, to: string): void =>
    index.upsert('RoleBinding', {
      metadata: meta(space, `${name}-${to}`),
      roleRef: { kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', namespace: space, name: to }],
    })
  for (let space = 0; space < bindings / 10; space++) {
    role(`ns-${space}`, 'settings', 'configmaps')
    for (let account = 0; account < 10; account++) bind(`ns-${space}`, 'settings', `account-${account}`)
  }
  role(judgedIn, 'reader', 'secrets')
  bind(judgedIn, 'reader', 'legacy')
}

function meta(namespace: string, name: string): object {
  return { namespace, name, uid: `${namespace}/${name}` }
}

function microsOf(work: () => void): number {
  const samples = Array.from({ length: rounds }, () => {
    const start = performance.now()
    for (let count = 0; count < perRound; count++) work()
    return ((performance.now() - start) * 1_000) / perRound
  })
  return median(samples)
}

if (import.meta.main) process.exitCode = await runAlone(verdict)
