import { expect } from 'chai'
import { forEachContainer } from '../../../src/core/workload/pod-spec.ts'
import { readPodSpec } from '../../../src/core/workload/read-pod-spec.ts'

const app = { name: 'app' }

const misfits: readonly (readonly [
  sentence: string,
  value: unknown,
  problems: readonly (readonly [string, string])[],
])[] = [
  ['refuses a spec that is text', 'spec', [['spec', 'expected an object, found a string']]],
  ['refuses a spec that is a list', [], [['spec', 'expected an object, found a list']]],
  ['refuses a spec that is missing', undefined, [['spec', 'expected an object, found nothing']]],
  ['refuses a missing list of containers', {}, [['spec.containers', 'expected a list, found nothing']]],
  ['refuses containers: null', { containers: null }, [['spec.containers', 'expected a list, found nothing']]],
  [
    'refuses an empty list of containers',
    { containers: [] },
    [['spec.containers', 'expected at least one entry, found nothing']],
  ],
  ['refuses containers that are text', { containers: 'app' }, [['spec.containers', 'expected a list, found a string']]],
  [
    'refuses containers that are an object',
    { containers: { 0: app } },
    [['spec.containers', 'expected a list, found an object']],
  ],
  [
    'refuses a null among containers',
    { containers: [app, null] },
    [['spec.containers[1]', 'expected an object, found nothing']],
  ],
  [
    'refuses a boolean in quotes',
    { containers: [{ securityContext: { privileged: 'true' } }] },
    [['spec.containers[0].securityContext.privileged', 'expected true or false, found a string']],
  ],
  [
    'refuses a fraction where a whole number belongs',
    { containers: [app], securityContext: { runAsUser: 0.5 } },
    [['spec.securityContext.runAsUser', 'expected a whole number, found a number']],
  ],
  [
    'refuses a capability that is no text',
    { containers: [{ securityContext: { capabilities: { drop: ['ALL', 7] } } }] },
    [['spec.containers[0].securityContext.capabilities.drop[1]', 'expected a string, found a number']],
  ],
  [
    'refuses a volume source that is no object',
    { containers: [app], volumes: [{ name: 'v', hostPath: '/etc' }, { emptyDir: true }] },
    [
      ['spec.volumes[0].hostPath', 'expected an object, found a string'],
      ['spec.volumes[1].emptyDir', 'expected an object, found true'],
    ],
  ],
  [
    'names every problem of every list of containers',
    { containers: [app], initContainers: 'x', ephemeralContainers: [{ ports: [{ hostPort: '80' }] }], hostPID: 1 },
    [
      ['spec.initContainers', 'expected a list, found a string'],
      ['spec.ephemeralContainers[0].ports[0].hostPort', 'expected a whole number, found a string'],
      ['spec.hostPID', 'expected true or false, found a number'],
    ],
  ],
]

describe('readPodSpec', () => {
  for (const [sentence, value, problems] of misfits) {
    it(sentence, () => {
      const reading = readPodSpec(value, 'spec')
      if (reading.ok) expect.fail('it was read')
      expect(reading.problems.map(({ path, message }) => [path, message])).to.deep.equal(problems)
    })
  }

  it('hands back the value itself', () => {
    const value = { containers: [app] }
    const reading = readPodSpec(value, 'spec')
    expect(reading.ok && reading.spec).to.equal(value)
  })

  it('takes null for absent and leaves fields alone that no check reads', () => {
    const value = { containers: [{ ...app, command: 'anything', securityContext: null }], volumes: null, nodeName: 7 }
    expect(readPodSpec(value, 'spec').ok).to.equal(true)
  })

  it('never shows a value, which may be a secret in the wrong place', () => {
    const reading = readPodSpec({ containers: [{ name: 'app', securityContext: 'hunter2' }] }, 'spec')
    expect(JSON.stringify(reading)).to.include('found a string')
    expect(JSON.stringify(reading)).not.to.include('hunter2')
  })
})

describe('forEachContainer', () => {
  it('visits init, main and ephemeral containers with their paths', () => {
    const visited: string[] = []
    const spec = {
      containers: [{ name: 'a' }, { name: 'b' }],
      initContainers: [{ name: 'c' }],
      ephemeralContainers: [{ name: 'd' }],
    }
    forEachContainer(spec, 'spec.template.spec', ({ name }, path) => visited.push(`${path} ${name}`))
    expect(visited).to.deep.equal([
      'spec.template.spec.initContainers[0] c',
      'spec.template.spec.containers[0] a',
      'spec.template.spec.containers[1] b',
      'spec.template.spec.ephemeralContainers[0] d',
    ])
  })
})
