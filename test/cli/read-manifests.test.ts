import { expect } from 'chai'
import { readManifests } from '../../src/cli/manifest/read-manifests.ts'

const object = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`

describe('readManifests', () => {
  describe('finds the objects of', () => {
    for (const [sentence, text, found] of [
      ['one document', object('a'), ['ConfigMap a 1:1']],
      ['several documents', `${object('a')}---\n${object('b')}`, ['ConfigMap a 1:1', 'ConfigMap b 2:5']],
      [
        'what Helm prints',
        `---\n# Source: x/a.yaml\n${object('a')}---\n# Source: x/b.yaml\n\n---\n# Source: c\n${object('c')}`,
        ['ConfigMap a 1:3', 'ConfigMap c 2:11'],
      ],
      [
        'separators with comments',
        `--- # first\n${object('a')}---   \n${object('b')}`,
        ['ConfigMap a 1:2', 'ConfigMap b 2:6'],
      ],
      ['a document that ends in dots', `${object('a')}...\n`, ['ConfigMap a 1:1']],
      [
        'a byte order mark and Windows line ends',
        `\uFEFF${`${object('a')}---\n${object('b')}`.replaceAll('\n', '\r\n')}`,
        ['ConfigMap a 1:1', 'ConfigMap b 2:5'],
      ],
      ['JSON', '{"apiVersion": "v1", "kind": "ConfigMap",\n\t"metadata": {"name": "a"}}', ['ConfigMap a 1:1']],
      [
        'a List',
        `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n`,
        ['Secret s 1:4', 'ConfigMap c 1:7'],
      ],
      [
        'a List in a List',
        `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Secret, metadata: {name: s}}\n`,
        ['Secret s 1:7'],
      ],
      [
        'a typed list, whose items do not say what they are',
        `apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: d}\n`,
        ['Deployment d 1:4'],
      ],
      ['an empty text', '', []],
      ['comments', '# nothing\n---\n# still nothing\n--- \nnull\n', []],
    ] as const) {
      it(sentence, () => {
        const { manifests, bad } = readManifests('a.yaml', text)
        expect(bad).to.deep.equal([])
        const told = manifests.map(
          ({ kind, object: { metadata }, source }) =>
            `${kind} ${(metadata as { name: string }).name} ${source.document}:${source.line}`,
        )
        expect(told).to.deep.equal(found)
      })
    }
  })

  describe('knows the line of', () => {
    const text = `# a comment
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  annotations:
    lapse.dev/policy: "x"
spec:
  template:
    spec:
      containers:
      - name: a
        image: b

      - name: c
        ports: [{containerPort: 1},
                {containerPort: 2}]
      volumes: &v
      - name: x
        emptyDir:
      initContainers: *v
`
    for (const [path, line] of [
      ['', 2],
      ['kind', 3],
      ['metadata.annotations["lapse.dev/policy"]', 7],
      ['metadata.annotations[lapse.dev/policy]', 7],
      ['spec.template.spec.containers[0]', 12],
      ['spec.template.spec.containers[1].name', 15],
      ['spec.template.spec.containers[1].ports[1].containerPort', 17],
      ['spec.template.spec.volumes[0].emptyDir', 20],
      ['spec.template.spec.initContainers', 21],
      ['spec.template.spec.initContainers[0].name', 19],
      ['spec.template.spec.hostNetwork', 10],
      ['spec.template.spec.containers[7].name', 11],
      ['status.phase', 2],
    ] as const) {
      it(path === '' ? 'the object' : path, () => {
        const [manifest] = readManifests('a.yaml', text).manifests
        expect(manifest!.placeOf(path).line).to.equal(line)
      })
    }
  })

  describe('knows the column of', () => {
    const text = `---\r
# Source: web/templates/a.yaml\r
apiVersion: v1\r
kind: List\r
items:\r
- {apiVersion: v1, kind: Pod, metadata: {name: "é😀", labels: {"a/b": c}}, spec: {containers: [{name: a}, {name: b}]}}\r
- apiVersion: v1\r
  kind: Pod\r
  spec:\r
    hostPID: true\r
`
    for (const [item, path, place] of [
      [0, '', '6:3'],
      [0, 'kind', '6:20'],
      [0, 'metadata.labels["a/b"]', '6:64'],
      [0, 'spec.containers[1]', '6:107'],
      [0, 'spec.hostPID', '6:76'],
      [1, '', '7:3'],
      [1, 'spec.hostPID', '10:5'],
    ] as const) {
      it(`${path === '' ? 'the object' : path} of item ${item}`, () => {
        const { line, column } = readManifests('a.yaml', text).manifests[item]!.placeOf(path)
        expect(`${line}:${column}`).to.equal(place)
      })
    }

    it('what stands behind dots', () => {
      const [, second] = readManifests('a.yaml', `${object('a')}...\n# b\n  {apiVersion: v1, kind: Pod}\n`).manifests
      expect(second!.placeOf('')).to.deep.equal({ line: 6, column: 3 })
    })
  })

  describe('knows the template that Helm names', () => {
    for (const [sentence, text, origins] of [
      [
        'above each document',
        `# Source: x/a.yaml\n${object('a')}---\n# Source: x/b.yaml\n${object('b')}`,
        ['x/a.yaml', 'x/b.yaml'],
      ],
      ['behind another comment and an empty line', `\n# by hand\n# Source: x/a.yaml\n${object('a')}`, ['x/a.yaml']],
      [
        'of each item of a list',
        `# Source: x/a.yaml\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod}\n`,
        ['x/a.yaml'],
      ],
      ['and no other comment', `# Source of all evil\n${object('a')}# Source: x/a.yaml\n`, [undefined]],
    ] as const) {
      it(sentence, () => {
        const { manifests } = readManifests('a.yaml', text)
        expect(manifests.map(({ source }) => source.origin)).to.deep.equal(origins)
      })
    }
  })

  it('keeps __proto__ as a key like any other', () => {
    const [manifest] = readManifests('a.yaml', `${object('a')}__proto__: {polluted: true}\n`).manifests
    expect(Object.hasOwn(manifest!.object, '__proto__')).to.equal(true)
    expect(({} as { polluted?: boolean }).polluted).to.equal(undefined)
    expect(manifest!.object['polluted']).to.equal(undefined)
  })

  it('reports every document that is bad, and reads the others', () => {
    const { manifests, bad } = readManifests(
      'a.yaml',
      `a: [\n---\n${object('b')}---\nx: 1\nx: 2\n---\n${object('d')}---\nhello\n`,
    )
    expect(manifests.map(({ source }) => source.document)).to.deep.equal([2, 4])
    expect(bad.map(({ line, message }) => [line, message])).to.deep.equal([
      [1, 'unexpected end of the stream within a flow collection'],
      [8, 'stands twice in the same object'],
      [14, 'expected an object, found a string'],
    ])
  })

  it('does not take hours over many objects', () => {
    const items = Array.from(
      { length: 5_000 },
      (_, index) => `- {apiVersion: v1, kind: ConfigMap, metadata: {name: c${index}}}`,
    )
    const { manifests } = readManifests('a.yaml', `apiVersion: v1\nkind: List\nitems:\n${items.join('\n')}\n`)
    expect(manifests.at(-1)!.source.line).to.equal(5_003)
  })
})
