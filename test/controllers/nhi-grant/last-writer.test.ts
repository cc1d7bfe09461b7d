import { expect } from 'chai'

import type { KubeObject } from '../../../src/cluster/ports.ts'
import { lastWriterOf } from '../../../src/controllers/nhi-grant/last-writer.ts'

const writtenBy = (...managers: readonly (readonly [manager: string, time: string])[]): KubeObject => {
  const managedFields = managers.map(([manager, time]) => ({ manager, time, operation: 'Update' }))
  return { metadata: { name: 'b', uid: 'b-1', resourceVersion: '1', managedFields } as KubeObject['metadata'] }
}

describe('F11: who wrote an object last', () => {
  it('is the latest that is not the operator', () =>
    expect(
      lastWriterOf(
        writtenBy(
          ['kubectl-edit', '2027-01-01T00:00:02Z'],
          ['argocd', '2027-01-01T00:00:01Z'],
          ['lapse-controller', '2027-01-01T00:00:03Z'],
        ),
      ),
    ).to.equal('kubectl-edit'))

  it('is not known where only the operator is on record', () =>
    expect(lastWriterOf(writtenBy(['lapse-controller', '2027-01-01T00:00:03Z']))).to.equal(null))

  it('is not known where nothing is, as in a cache', () => expect(lastWriterOf(writtenBy())).to.equal(null))
})
