import { expect } from 'chai'
import type { KubeObject } from '../../src/cluster/ports.ts'
import type { ResourceType } from '../../src/cluster/resources.ts'
import { readWorld } from '../../src/scan/read-world.ts'
import { worldKinds } from '../../src/world/world-index.ts'

/** Has these objects and no others; notes what is asked for. */
class ScriptedPages {
  readonly asked: string[] = []
  readonly #objects: readonly KubeObject[]

  constructor(...objects: readonly KubeObject[]) {
    this.#objects = objects
  }

  async *pages({ kind }: ResourceType): AsyncGenerator<readonly KubeObject[]> {
    this.asked.push(kind)
    yield this.#objects.filter((object) => object.kind === kind)
  }
}

describe('the world that a scan judges by', () => {
  it('is read from every kind that decisions look at, and grants last: they are known to own their bindings', async () => {
    const client = new ScriptedPages()
    await readWorld(client)
    expect(client.asked).to.have.members([...worldKinds])
    expect(client.asked.slice(-2)).to.deep.equal(['NHIGrant', 'ClusterNHIGrant'])
  })

  it('knows who is suspended, whose waivers then count for nothing', async () => {
    const subject = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' } as const
    const suspension = {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHISuspension',
      metadata: { name: 'stop-api', uid: 'u' },
      spec: { subject, reason: 'leaked', setBy: 'sec' },
    }
    const world = await readWorld(new ScriptedPages(suspension as unknown as KubeObject))
    expect(world.suspension(subject)).to.include({ name: 'stop-api', reason: 'leaked' })
  })
})
