import { expect } from 'chai'
import type { Change } from '../../src/cluster/ports.ts'
import { MergedCache } from '../../src/controllers/merged-cache.ts'
import { HandCache } from '../support/hand-cache.ts'

const object = (name: string, namespace?: string) => ({
  metadata: { name, uid: `uid of ${name}`, ...(namespace !== undefined && { namespace }) },
})
type Thing = ReturnType<typeof object>

describe('MergedCache', () => {
  it('has what each of its caches has', () => {
    const [namespaced, wide] = [new HandCache<Thing>(), new HandCache<Thing>()]
    const merged = new MergedCache([namespaced, wide])
    namespaced.put(object('a', 'payments'))
    wide.put(object('a'))
    expect(merged.get({ namespace: 'payments', name: 'a' })?.metadata.namespace).to.equal('payments')
    expect(merged.get({ namespace: '', name: 'a' })?.metadata.namespace).to.equal(undefined)
    expect(merged.get({ namespace: 'search', name: 'a' })).to.equal(null)
    expect(merged.list()).to.have.length(2)
  })

  it('tells every change of each, and what was there before', () => {
    const [namespaced, wide] = [new HandCache<Thing>(), new HandCache<Thing>()]
    wide.put(object('early'))
    const told: string[] = []
    const tell = ({ key, after }: Change<Thing>): void =>
      void told.push(`${key.namespace}/${key.name} ${after === null ? 'went' : 'came'}`)
    new MergedCache([namespaced, wide]).subscribe(tell)
    namespaced.put(object('b', 'payments'))
    wide.remove(object('early'))
    expect(told).to.deep.equal(['/early came', 'payments/b came', '/early went'])
  })

  it('has synced when all of them have', () => {
    const behind = Object.assign(Object.create(new HandCache<Thing>()) as HandCache<Thing>, {})
    Object.defineProperty(behind, 'hasSynced', { value: false })
    expect(new MergedCache([new HandCache<Thing>()]).hasSynced).to.equal(true)
    expect(new MergedCache<Thing>([new HandCache<Thing>(), behind]).hasSynced).to.equal(false)
  })
})
