import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect } from 'chai'
import { load } from 'js-yaml'

import { kinds } from '../../src/api/v1alpha1/crds.ts'
import { digestOf } from '../../src/api/v1alpha1/digest.ts'
import { parseAccessPolicy } from '../../src/api/v1alpha1/parse-access-policy.ts'
import { brokenRules, brokenTransitions } from '../api/v1alpha1/broken-rules.ts'
import {
  accessPolicy,
  clusterNHIGrant,
  nhiGrant,
  nhiGrantApproval,
  nhiSuspension,
  type Wire,
} from '../api/v1alpha1/wire.ts'
import { ApiError, type KubeObject } from '../support/admin-api.ts'
import type { ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { controlPlane } from '../support/shared-control-plane.ts'

const api = '/apis/lapse.dev/v1alpha1'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const folder = join(import.meta.dirname, '../../crds')
const crds = readdirSync(folder).map((file) => load(readFileSync(join(folder, file), 'utf8')) as KubeObject)

function revisionOf(policy: Wire): Wire {
  const { metadata, spec } = policy
  return {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'AccessPolicyRevision',
    metadata: { name: `${metadata.name}-${spec.version}` },
    spec: {
      policyName: metadata.name,
      digest: digestOf(spec),
      appliedBy: 'ana',
      appliedAt: '2027-01-15T12:00:00Z',
      policy: spec,
    },
  }
}

/** `field: message` of each cause for which the API server calls the object invalid; nothing if it does not. */
async function causesOf(write: Promise<unknown>): Promise<readonly string[]> {
  try {
    await write
    return []
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'Invalid') throw error
    const causes = error.details['details']?.causes as readonly { field: string; message: string }[]
    return causes.map(({ field, message }) => `${field}: ${message}`)
  }
}

/** What the API server says of a CEL rule that does not hold. */
function broken(field: string, message: string): string {
  return `${field}: Invalid value: ${message}`
}

describe('crds/', () => {
  let cp: ControlPlane
  let namespace: string
  /** Unique, because policies have no namespace. */
  let name: string

  before(async () => {
    cp = controlPlane()
    for (const crd of crds) await cp.admin.apply(`${definitions}/${crd.metadata?.name}`, crd)
    for (const { plural } of kinds)
      await eventually(`${plural} are served`, () => cp.admin.get(`${api}/${plural}?limit=1`))
    // kubectl asks by what discovery lists, which comes after what is served
    await eventually('the kinds are listed', async () => {
      const listed = ((await cp.admin.get(api))['resources'] as readonly KubeObject[]).map(({ kind }) => kind)
      return kinds.every(({ kind }) => listed.includes(kind)) || undefined
    })
    namespace = await cp.namespace()
    name = `crds-${namespace}`
  })

  after(async () => {
    for (const plural of ['accesspolicies', 'accesspolicyrevisions', 'clusternhigrants', 'nhisuspensions'])
      await cp?.admin.delete(`${api}/${plural}?labelSelector=test%3D${namespace}`)
  })

  const policies = `${api}/accesspolicies`
  const revisions = `${api}/accesspolicyrevisions`
  const suspensions = `${api}/nhisuspensions`
  const clusterGrants = `${api}/clusternhigrants`
  const grants = (): string => `${api}/namespaces/${namespace}/nhigrants`
  const approvals = (): string => `${api}/namespaces/${namespace}/nhigrantapprovals`
  const collectionOf = (kind: string): string =>
    ({
      AccessPolicy: policies,
      AccessPolicyRevision: revisions,
      ClusterNHIGrant: clusterGrants,
      NHIGrantApproval: approvals(),
      NHISuspension: suspensions,
    })[kind] ?? grants()

  /** The object under the name of this run, unless its name is the point of the test. */
  function mine(object: Wire): Wire {
    const metadata = { ...object.metadata, labels: { test: namespace } }
    if (object.metadata.namespace !== undefined) metadata.namespace = namespace
    else if (object.kind === 'NHISuspension' || object.kind === 'ClusterNHIGrant') metadata.name = name
    else if (metadata.name.length <= 63) metadata.name = metadata.name.replace('payments-deploy', name)
    return { ...object, metadata }
  }

  const create = (object: Wire): Promise<KubeObject> => cp.admin.create(collectionOf(object.kind), mine(object))
  const dryRun = (object: Wire): Promise<readonly string[]> =>
    causesOf(cp.admin.create(`${collectionOf(object.kind)}?dryRun=All`, mine(object)))

  /** Where the objects are that the tests of changes create. */
  const pathOf = (kind: string): string =>
    ({
      AccessPolicyRevision: `${revisions}/${name}-1.4.0`,
      ClusterNHIGrant: `${clusterGrants}/${name}`,
      NHIGrantApproval: `${approvals()}/rollout-2041-ana`,
      NHISuspension: `${suspensions}/${name}`,
    })[kind] ?? `${grants()}/rollout-2041`

  async function setStatus(path: string, status: Wire): Promise<void> {
    await cp.admin.patch(`${path}/status`, { status })
  }

  /** The cells of one row of `kubectl get` by the head of their column; columns are two blanks apart. */
  async function row(kind: string, object: string, ...args: readonly string[]): Promise<Record<string, string>> {
    const { stdout, stderr } = await cp.kubectl(['get', kind, object, '-n', namespace, ...args])
    const [head = '', line = stderr] = stdout.trimEnd().split('\n')
    const starts = [...head.matchAll(/\S+/g)].map((match) => match.index)
    const cells = starts.map((start, index) => {
      const end = starts[index + 1]
      return [head.slice(start, end).trim(), line.slice(start, end).trim()] as const
    })
    return Object.fromEntries(cells)
  }

  /** The objects of a kind that a field selector finds, as `kubectl get -o name` prints them. */
  async function select(kind: string, ...selectors: readonly string[]): Promise<readonly string[]> {
    const args = ['get', kind, '-n', namespace, '-o', 'name', '--field-selector', selectors.join()]
    const { stdout, stderr } = await cp.kubectl(args)
    expect(stderr).to.equal('')
    return stdout.split('\n').filter((line) => line !== '')
  }

  describe('read back from the API server', () => {
    it('are all kinds of the API', () => {
      expect(crds.map((crd) => crd['spec'].names.kind as string)).to.have.members(kinds.map(({ kind }) => kind))
    })

    for (const crd of crds) {
      it(`say the same: ${crd.metadata?.name}`, async () => {
        const stored = await cp.admin.get(`${definitions}/${crd.metadata?.name}`)
        const [version] = stored['spec'].versions
        expect(version.schema.openAPIV3Schema).to.deep.equal(crd['spec'].versions[0].schema.openAPIV3Schema)
        expect(version).to.deep.equal(crd['spec'].versions[0])
        expect(stored['spec'].names).to.deep.equal(crd['spec'].names)
        expect(stored['spec'].scope).to.equal(crd['spec'].scope)
      })

      it(`break no rule of Kubernetes for schemas: ${crd.metadata?.name}`, async () => {
        const { conditions } = (await cp.admin.get(`${definitions}/${crd.metadata?.name}`))['status']
        expect(conditions.map(({ type, status }: Wire) => `${type} ${status}`)).to.have.members([
          'NamesAccepted True',
          'Established True',
        ])
      })
    }
  })

  describe('accept', () => {
    for (const object of [
      accessPolicy(),
      revisionOf(accessPolicy()),
      nhiGrant(),
      clusterNHIGrant(),
      nhiGrantApproval(),
      nhiSuspension(),
    ])
      it(`what is right: ${object.kind}`, async () => expect(await dryRun(object)).to.deep.equal([]))

    it('null for what may be omitted', async () => {
      const grant = nhiGrant(({ spec }) => Object.assign(spec, { notAfter: null, revoke: null, ticket: null }))
      expect(await dryRun(grant)).to.deep.equal([])
    })
  })

  describe('refuse', () => {
    for (const { kind, sentence, path, message, object } of brokenRules) {
      it(`with the words and the field of our parser: ${kind} with ${sentence}`, async () => {
        const field = path === 'metadata.name' ? '<nil>' : path
        expect(await dryRun(object)).to.deep.equal([broken(field, message)])
      })

      if (kind === 'AccessPolicy' && path !== 'metadata.name')
        it(`the same in a revision: ${sentence}`, async () => {
          const field = `spec.policy${path.slice('spec'.length)}`
          expect(await dryRun(revisionOf(object))).to.deep.equal([broken(field, message)])
        })
    }

    describe('a change:', () => {
      before(async () => {
        await create(nhiGrant())
        await create(clusterNHIGrant())
        for (const kind of ['NHIGrant', 'ClusterNHIGrant'])
          await cp.admin.patch(pathOf(kind), { spec: { revoke: { reason: 'leaked' } } })
        for (const object of [revisionOf(accessPolicy()), nhiGrantApproval(), nhiSuspension()]) await create(object)
      })

      for (const { kind, sentence, rule, message, change } of brokenTransitions) {
        it(`${kind} with ${sentence}`, async () => {
          const object = (await cp.admin.get(pathOf(kind))) as Wire
          change(object)
          const causes = await causesOf(cp.admin.replace(`${pathOf(kind)}?dryRun=All`, object))
          expect(causes).to.include(broken(rule, message))
        })
      }

      it('but none of labels', async () => {
        for (const kind of ['NHIGrant', 'AccessPolicyRevision'])
          await cp.admin.patch(`${pathOf(kind)}?dryRun=All`, { metadata: { labels: { team: 'payments' } } })
      })
    })

    it('a field that is not known, by name, when kubectl asks for strict validation', async () => {
      const object = mine(accessPolicy(({ spec }) => (spec.grants.maxDurations = '1h')))
      const result = await cp.kubectl(['create', '--validate=strict', '--dry-run=server', '-f', '-'], {
        input: JSON.stringify(object),
      })
      expect(result.code).to.equal(1)
      expect(result.stderr).to.contain('strict decoding error: unknown field "spec.grants.maxDurations"')
    })
  })

  describe('fill in', () => {
    it('the defaults that our parser fills in: both see one digest', async () => {
      const object = accessPolicy(({ metadata, spec }) => {
        metadata.name += '-bare'
        spec.workloads = { podSecurity: { level: 'baseline' }, pin: {} }
        spec.owner.contact = null
        delete spec.grants.maxActivePerSubject
      })
      const { spec } = (await create(object)) as Wire
      expect(spec.workloads).to.deep.equal({
        enforcement: 'Deny',
        podSecurity: { level: 'baseline', version: 'latest' },
        pin: { required: false, grace: '0s' },
      })
      expect(spec.grants.maxActivePerSubject).to.equal(1)
      expect(spec.owner).to.deep.equal({ name: 'payments-platform' })
      const parsed = parseAccessPolicy(object)
      expect(parsed.ok && parsed.value.digest).to.equal(digestOf(spec))
    })
  })

  describe('are explained by kubectl explain:', () => {
    it('every field has a description', async () => {
      const { components } = await eventually('the schemas are published', async () => {
        const published = await cp.admin.get(`/openapi/v3${api}`)
        const missing = kinds.filter(({ kind }) => published['components'].schemas[schemaName(kind)] === undefined)
        return missing.length === 0 ? published : undefined
      })
      const described = kinds.flatMap(({ kind }) => fieldsOf(components.schemas[schemaName(kind)], kind))
      expect(described.filter(({ description }) => description.trim() === '').map(({ path }) => path)).to.deep.equal([])
      expect(described.length).to.be.greaterThan(150)
    })

    const explained: readonly (readonly [field: string, text: RegExp])[] = [
      ['accesspolicy.spec.grants.maxDuration', /FIELD: maxDuration <string>[^]*The longest that a grant may last/],
      ['nhip.spec.workloads.enforcement', /ENUM:\s+Deny\s+Warn\s+Audit\s[^]*What a breach does/],
      ['nhir.spec.policy.subjects.names', /FIELD: names <\[\]string>[^]*Exact names/],
      ['nhigrant.spec.revoke', /FIELD: revoke <Object>[^]*Set it to end the grant now/],
      ['nhig.status.revocation.overstay', /How long the access outlived its end, such as 38ms/],
    ]
    for (const [field, text] of explained) {
      it(field, async () => {
        const { stdout, stderr } = await cp.kubectl(['explain', field])
        expect(stdout, stderr).to.match(text)
      })
    }
  })

  describe('are listed by kubectl get:', () => {
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'Accepted',
      message: 'in force',
      lastTransitionTime: '2027-01-15T12:00:00Z',
      observedGeneration: 1,
    }

    before(async () => {
      await create(accessPolicy(({ metadata }) => (metadata.name += '-listed')))
      await setStatus(`${policies}/${name}-listed`, {
        activeVersion: '1.4.0',
        grants: { active: 2 },
        conditions: [condition],
      })
      await create(
        revisionOf(
          accessPolicy(({ metadata, spec }) => {
            metadata.name = `${name}-listed`
            spec.version = '1.3.0'
          }),
        ),
      )
      await create(nhiGrant(({ metadata }) => (metadata.name = 'listed')))
      await setStatus(`${grants()}/listed`, {
        state: 'Expired',
        notAfter: '2027-01-15T12:00:00Z',
        endedReason: 'as issued',
        revocation: { overstay: '38ms' },
      })
    })

    it('a policy, with what is in force and until when', async () => {
      const { AGE: age, ...cells } = await row('nhip', `${name}-listed`)
      expect(age).to.match(/^\d+s$/)
      expect(cells).to.deep.equal({
        NAME: `${name}-listed`,
        VERSION: '1.4.0',
        ACTIVE: '1.4.0',
        READY: 'True',
        OWNER: 'payments-platform',
        GRANTS: '2',
        REVIEW: '2027-03-01T00:00:00Z',
      })
      expect(await row('accesspolicies', `${name}-listed`, '-o', 'wide')).to.include({ REASON: 'in force' })
    })

    it('a revision, with who brought it', async () => {
      const cells = await row('nhir', `${name}-listed-1.3.0`)
      expect(cells).to.include({
        POLICY: `${name}-listed`,
        VERSION: '1.3.0',
        'APPLIED-BY': 'ana',
        CHANGE: 'CHG-20841',
        SUPERSEDED: '',
        WITHDRAWN: '',
      })
    })

    it('a grant, with where it is in its life', async () => {
      expect(await row('nhig', 'listed')).to.include({
        SUBJECT: 'deployer',
        POLICY: 'payments-deploy',
        STATE: 'Expired',
        UNTIL: '2027-01-15T12:00:00Z',
        OVERSTAY: '38ms',
      })
      expect(await row('nhig', 'listed', '-o', 'wide')).to.include({
        REASON: 'as issued',
        'REQUESTED-BY': 'system:serviceaccount:ci:deployer',
      })
    })

    it('all kinds at once, as category nhi', async () => {
      const { stdout, stderr } = await cp.kubectl(['get', 'nhi', '-n', namespace, '--show-kind', '--no-headers'])
      for (const object of [
        `accesspolicy.lapse.dev/${name}-listed `,
        `accesspolicyrevision.lapse.dev/${name}-listed-1.3.0 `,
        'nhigrant.lapse.dev/listed ',
      ])
        expect(stdout, stderr).to.contain(object)
    })

    it('by the fields that can be selected by', async () => {
      expect(await select('nhig', 'status.state=Expired')).to.deep.equal(['nhigrant.lapse.dev/listed'])
      expect(await select('nhig', 'spec.policy.name=payments-deploy', 'metadata.name=listed')).to.have.length(1)
      expect(await select('nhig', 'spec.policy.name=ghost')).to.deep.equal([])
      expect(await select('nhir', `spec.policyName=${name}-listed`)).to.have.length(1)
      expect(await select('nhip', 'spec.version=9.9.9')).to.deep.equal([])
    })

    it('and waited for by kubectl wait, as kstatus has it', async () => {
      const wait = (status: string, timeout: string) =>
        cp.kubectl(['wait', `nhip/${name}-listed`, `--for=condition=Ready=${status}`, `--timeout=${timeout}`])
      expect((await wait('True', '30s')).stdout).to.equal(`accesspolicy.lapse.dev/${name}-listed condition met\n`)
      expect((await wait('False', '1s')).stderr).to.contain('timed out waiting for the condition')
    })

    const conditions: readonly (readonly [sentence: string, conditions: readonly object[], cause: string])[] = [
      [
        'two of one type',
        [condition, { ...condition, status: 'False' }],
        'status.conditions[1]: Duplicate value: {"type":"Ready"}',
      ],
      [
        'one with another status than three',
        [{ ...condition, status: 'true' }],
        'status.conditions[0].status: Unsupported value: "true": supported values: "True", "False", "Unknown"',
      ],
      ['one without a reason', [{ ...condition, reason: null }], 'status.conditions[0].reason: Required value'],
    ]
    for (const [sentence, wrong, cause] of conditions) {
      it(`with no conditions such as ${sentence}`, async () => {
        const path = `${policies}/${name}-listed/status?dryRun=All`
        expect(await causesOf(cp.admin.patch(path, { status: { conditions: wrong } }))).to.include(cause)
      })
    }

    it('with a generation that a status does not raise', async () => {
      expect((await cp.admin.get(`${policies}/${name}-listed`)).metadata?.['generation']).to.equal(1)
    })
  })
})

function schemaName(kind: string): string {
  return `dev.lapse.v1alpha1.${kind}`
}

/** Every field below a published schema, but for metadata, which is Kubernetes' own. */
function fieldsOf(schema: Wire, path: string): readonly { readonly path: string; readonly description: string }[] {
  const inner = schema.type === 'array' ? schema.items : schema
  return Object.entries<Wire>(inner.properties ?? {}).flatMap(([field, property]) => {
    if (property.allOf !== undefined) return []
    const own = { path: `${path}.${field}`, description: property.description ?? '' }
    return [own, ...fieldsOf(property, own.path)]
  })
}
