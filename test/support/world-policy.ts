import { hurried, type ModelPolicy, type Sign } from './asked-grant.ts'
import { rules, type Scene } from './scene.ts'

/** A condition that holds while there is no such sign in the namespace of a grant; one for the whole cluster has none. */
function unless(sign: Sign, otherwise: object): object {
  const expression = `grant.metadata.namespace == '' || !('${sign}' in namespaceObject.metadata.labels)`
  return { name: sign, expression, message: `not in the ${sign}`, ...otherwise }
}

/** What the policy of a world says for that of its model. */
export function specOf(
  { policy }: Scene,
  subjects: readonly string[],
  { version, needsApproval, isWide }: ModelPolicy,
): Readonly<Record<string, unknown>> {
  const namespaceSelector = { matchLabels: { policy } }
  const by = ['ana', 'asker'].map((name) => ({ kind: 'User', name }))
  const requesters = [{ kind: 'User', name: 'asker' }]
  return {
    version: `1.0.${version}`,
    subjects: [{ kind: 'ServiceAccount', namespaceSelector, names: subjects }],
    scope: { namespaceSelector, cluster: isWide },
    permissions: [
      { name: 'rollout', rules: rules.rollout },
      { name: 'read-pods', rules: rules.readPods },
    ],
    workloads: { podSecurity: { level: 'baseline' } },
    grants: {
      maxDuration: '1h',
      maxActivePerSubject: 100,
      requesters,
      waivable: ['host-path'],
      approval: { required: needsApproval ? 1 : 0, by },
      breakGlass: { requesters, maxDuration: '1h', reviewWithin: '1h', reviewers: by },
      conditions: [
        unless('incident', { otherwise: 'Deny' }),
        unless('freeze', { otherwise: 'StepUp' }),
        unless('rush', { otherwise: 'Constrain', constrain: { maxDuration: `${hurried / 1_000}s` } }),
      ],
    },
  }
}
