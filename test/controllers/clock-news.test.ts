import { expect } from 'chai'
import type { EventNote } from '../../src/cluster/ports.ts'
import { clockNews } from '../../src/controllers/clock-news.ts'

describe('the news of clocks', () => {
  const lease = { namespace: 'lapse-system', name: 'lapse-controller' }
  let events: EventNote[]
  let leads: boolean
  const tell = (disagreement: number | null): void =>
    clockNews({ record: (event) => void events.push(event) }, lease, () => leads)(disagreement)
  beforeEach(() => {
    events = []
    leads = true
  })

  it('is a warning about the Lease that says by how much they differ, and a note when they agree again', () => {
    tell(3_600_000)
    tell(null)
    expect(events.map(({ type, reason }) => `${type} ${reason}`)).to.deep.equal([
      'Warning ClockDisagreement',
      'Normal ClocksAgree',
    ])
    expect(events[0]!.note).to.contain('differ by 1h: grants that are issued meanwhile are so much shorter')
    expect(events[0]!.regarding.metadata).to.include(lease)
  })

  it('is told by nobody who does not lead', () => {
    leads = false
    tell(3_600_000)
    expect(events).to.deep.equal([])
  })
})
