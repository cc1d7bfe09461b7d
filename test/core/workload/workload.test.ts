import { expect } from 'chai'
import { readWorkload, type Workload } from '../../../src/core/workload/workload.ts'

const pod = { containers: [{ name: 'app' }] }
const template = { metadata: { annotations: { note: 'n' }, labels: { app: 'api' } }, spec: pod }
const metadata = { name: 'api', namespace: 'payments', annotations: { outer: 'x' } }

const kinds: readonly (readonly [
  apiVersion: string,
  kind: string,
  spec: unknown,
  podPath: string,
  metadataPath: string,
])[] = [
  ['apps/v1', 'Deployment', { template }, 'spec.template.spec', 'spec.template.metadata'],
  ['apps/v1', 'StatefulSet', { template }, 'spec.template.spec', 'spec.template.metadata'],
  ['apps/v1', 'DaemonSet', { template }, 'spec.template.spec', 'spec.template.metadata'],
  ['apps/v1', 'ReplicaSet', { template }, 'spec.template.spec', 'spec.template.metadata'],
  ['batch/v1', 'Job', { template }, 'spec.template.spec', 'spec.template.metadata'],
  [
    'batch/v1',
    'CronJob',
    { jobTemplate: { spec: { template } } },
    'spec.jobTemplate.spec.template.spec',
    'spec.jobTemplate.spec.template.metadata',
  ],
  ['v1', 'ReplicationController', { template }, 'spec.template.spec', 'spec.template.metadata'],
]

const podTemplate = { apiVersion: 'v1', kind: 'PodTemplate', metadata }

describe('readWorkload', () => {
  for (const [apiVersion, kind, spec, podPath, templateMetadataPath] of kinds) {
    it(`finds the pod template of a ${kind}`, () => {
      expect(readWorkload({ apiVersion, kind, metadata, spec })).to.deep.equal({
        ok: true,
        workload: {
          kind,
          apiVersion,
          namespace: 'payments',
          name: 'api',
          podPath,
          templateMetadataPath,
          annotations: { note: 'n' },
          labels: { app: 'api' },
          pod,
          serviceAccountName: 'default',
        },
      })
    })
  }

  it('finds the template of a PodTemplate, which has no spec', () => {
    expect(read({ ...podTemplate, template })).to.include({ podPath: 'template.spec', pod })
    expect(readWorkload(podTemplate)).to.deep.equal({ ok: true, workload: null })
  })

  it('takes a Pod for its own template', () => {
    const workload = read({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, labels: { app: 'api' } },
      spec: pod,
    })
    expect(workload).to.include({ podPath: 'spec', templateMetadataPath: 'metadata', name: 'api' })
    expect(workload.annotations).to.deep.equal({ outer: 'x' })
    expect(workload.labels).to.deep.equal({ app: 'api' })
  })

  it('reads an earlier version of a group like the current one', () => {
    expect(read({ apiVersion: 'apps/v1beta2', kind: 'Deployment', spec: { template } }).apiVersion).to.equal(
      'apps/v1beta2',
    )
  })

  describe('name and namespace', () => {
    for (const [sentence, given, name, namespace] of [
      ['shows that a generated name is still open', { generateName: 'api-' }, 'api-…', null],
      ['prefers the name over the prefix', { name: 'api', generateName: 'x-' }, 'api', null],
      ['lets a name be empty', { name: '', namespace: '' }, '', null],
      ['lets the metadata be absent', null, '', null],
    ] as const) {
      it(sentence, () => {
        expect(read({ apiVersion: 'v1', kind: 'Pod', metadata: given, spec: pod })).to.include({ name, namespace })
      })
    }
  })

  describe('serviceAccountName', () => {
    for (const [sentence, fields, account] of [
      ['is default when absent', {}, 'default'],
      ['is default when empty', { serviceAccountName: '', serviceAccount: '' }, 'default'],
      ['falls back to the deprecated alias', { serviceAccount: 'old' }, 'old'],
      ['falls back to the alias when empty', { serviceAccountName: '', serviceAccount: 'old' }, 'old'],
      ['wins over the alias', { serviceAccountName: 'new', serviceAccount: 'old' }, 'new'],
    ] as const) {
      it(sentence, () => {
        expect(read({ apiVersion: 'v1', kind: 'Pod', spec: { ...pod, ...fields } }).serviceAccountName).to.equal(
          account,
        )
      })
    }
  })

  describe('what makes no pods', () => {
    for (const [sentence, object] of [
      ['another kind', { apiVersion: 'v1', kind: 'ConfigMap', data: {} }],
      ['a kind of the same name in another group', { apiVersion: 'example.com/v1', kind: 'Deployment', spec: 7 }],
      ['a Pod that claims a group', { apiVersion: 'apps/v1', kind: 'Pod', spec: pod }],
      ['a kind named like what every object inherits', { apiVersion: 'v1', kind: 'constructor' }],
      ['a ReplicaSet without a template', { apiVersion: 'apps/v1', kind: 'ReplicaSet', spec: { replicas: 0 } }],
      ['a ReplicationController without a spec', { apiVersion: 'v1', kind: 'ReplicationController' }],
    ] as const) {
      it(`is ${sentence}`, () => expect(readWorkload(object)).to.deep.equal({ ok: true, workload: null }))
    }
  })

  describe('what cannot be read', () => {
    for (const [sentence, object, problems] of [
      ['nothing', null, [['', 'expected an object, found nothing']]],
      ['a list', [], [['', 'expected an object, found a list']]],
      [
        'an object without a type',
        {},
        [
          ['apiVersion', 'expected a string, found nothing'],
          ['kind', 'expected a string, found nothing'],
        ],
      ],
      ['a Pod without a spec', { apiVersion: 'v1', kind: 'Pod' }, [['spec', 'expected an object, found nothing']]],
      [
        'a Deployment without a template',
        { apiVersion: 'apps/v1', kind: 'Deployment', spec: {} },
        [['spec.template', 'expected an object, found nothing']],
      ],
      [
        'a ReplicaSet whose template is text',
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', spec: { template: 'x' } },
        [['spec.template', 'expected an object, found a string']],
      ],
      [
        'a CronJob with trouble in its pod and its metadata',
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          metadata: { name: 7 },
          spec: {
            jobTemplate: { spec: { template: { metadata: { annotations: { a: 1 } }, spec: { containers: 'x' } } } },
          },
        },
        [
          ['metadata.name', 'expected a string, found a number'],
          ['spec.jobTemplate.spec.template.metadata.annotations[a]', 'expected a string, found a number'],
          ['spec.jobTemplate.spec.template.spec.containers', 'expected a list, found a string'],
        ],
      ],
    ] as const) {
      it(`is ${sentence}`, () => {
        const reading = readWorkload(object)
        if (reading.ok) expect.fail('it was read')
        expect(reading.problems.map(({ path, message }) => [path, message])).to.deep.equal(problems)
      })
    }
  })
})

function read(object: unknown): Workload {
  const reading = readWorkload(object)
  if (!reading.ok || reading.workload === null) expect.fail(JSON.stringify(reading))
  return reading.workload
}
