import { expect } from 'chai'
import { parseTemplateKind, readWorkloads, type TemplateKind } from '../../../src/core/workload/template-kinds.ts'

const template = {
  metadata: { annotations: { note: 'n' } },
  spec: { containers: [{ name: 'app' }], serviceAccountName: 'api' },
}
const rollout: TemplateKind = { group: 'argoproj.io', kind: 'Rollout', path: 'spec.template' }
const job: TemplateKind = { group: 'batch.volcano.sh', kind: 'Job', path: 'spec.tasks[*].template' }
const objectOf = ({ group, kind }: TemplateKind, spec: unknown) => ({
  apiVersion: `${group}/v1alpha1`,
  kind,
  metadata: { namespace: 'payments', name: 'api' },
  spec,
})
const read = (object: unknown) => readWorkloads(object, [rollout, job])

const pathsOf = (object: unknown): readonly string[] => {
  const reading = read(object)
  return reading.ok
    ? reading.workloads.map(({ podPath }) => podPath)
    : reading.problems.map(({ path, message }) => `${path}: ${message}`)
}

describe('parseTemplateKind', () => {
  const texts: readonly (readonly [text: string, expected: TemplateKind | null])[] = [
    ['argoproj.io/Rollout=spec.template', rollout],
    ['batch.volcano.sh/Job=spec.tasks[*].template', job],
    ['Rollout=spec.template', null],
    ['apps/Deployment=spec.template', null],
    ['argoproj.io/Rollout', null],
    ['argoproj.io/Rollout=', null],
    ['argoproj.io/Rollout=.spec', null],
    ['argoproj.io/Rollout=spec[*]', null],
    ['argoproj.io/Rollout=spec.a[*].b[*].c', null],
    ['argoproj.io/Rollout=spec.a[0].template', null],
  ]
  for (const [text, expected] of texts)
    it(`${expected === null ? 'does not take' : 'reads'} ${text}`, () =>
      expect(parseTemplateKind(text)).to.deep.equal(expected))
})

describe('readWorkloads', () => {
  it('finds the template of a kind that is configured, as that of a kind that Kubernetes has', () => {
    const reading = read(objectOf(rollout, { template }))
    expect(reading).to.deep.equal({
      ok: true,
      workloads: [
        {
          kind: 'Rollout',
          apiVersion: 'argoproj.io/v1alpha1',
          namespace: 'payments',
          name: 'api',
          podPath: 'spec.template.spec',
          templateMetadataPath: 'spec.template.metadata',
          annotations: { note: 'n' },
          labels: {},
          pod: template.spec,
          serviceAccountName: 'api',
        },
      ],
    })
  })

  const places: readonly (readonly [sentence: string, object: unknown, found: readonly string[]])[] = [
    [
      'each template of a list',
      objectOf(job, { tasks: [{ template }, {}, { template }] }),
      ['spec.tasks[0].template.spec', 'spec.tasks[2].template.spec'],
    ],
    ['each template of a map', objectOf(job, { tasks: { a: { template } } }), ['spec.tasks.a.template.spec']],
    ['no template where there is none', objectOf(rollout, { workloadRef: { name: 'x' } }), []],
    ['no template in nothing', objectOf(rollout, null), []],
    ['no template by an inherited name', { ...objectOf({ ...rollout, path: 'constructor' }, {}), kind: 'Other' }, []],
    ['the templates of Kubernetes as ever', { apiVersion: 'v1', kind: 'PodTemplate', template }, ['template.spec']],
    ['nothing in a kind that nobody named', { ...objectOf(rollout, { template }), kind: 'Experiment' }, []],
    [
      'a problem in what should hold a template and cannot',
      objectOf(job, { tasks: 'all' }),
      ['spec.tasks: expected an object, found a string'],
    ],
    [
      'a problem in a template that cannot be read',
      objectOf(rollout, { template: { spec: { containers: 7 } } }),
      ['spec.template.spec.containers: expected a list, found a number'],
    ],
  ]
  for (const [sentence, object, found] of places)
    it(`finds ${sentence}`, () => expect(pathsOf(object)).to.deep.equal(found))
})
