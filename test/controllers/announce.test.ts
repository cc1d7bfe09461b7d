import { expect } from 'chai'

import type { EventNote } from '../../src/cluster/ports.ts'
import { announce } from '../../src/controllers/announce.ts'
import { silentLog } from '../../src/runtime/log.ts'

const metadata = { name: 'g', namespace: 'payments', uid: 'u-1', resourceVersion: '7' }

function noteOf(note: string): EventNote {
  const regarding = { apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant', metadata }
  return { regarding, type: 'Normal', reason: 'Issued', action: 'Issue', note }
}

describe('an announcement', () => {
  it('records the news in their order', () => {
    const notes: string[] = []
    announce({ events: { record: ({ note }) => void notes.push(note) }, log: silentLog }, ['a', 'b'].map(noteOf))
    expect(notes).to.deep.equal(['a', 'b'])
  })

  it('goes on after news that the sink throws at, and says so', () => {
    const notes: string[] = []
    const warnings: unknown[] = []
    const failure = new Error('broken')
    const events = {
      record: ({ note }: EventNote): void => {
        if (note === 'a') throw failure
        notes.push(note)
      },
    }
    const log = { ...silentLog, warn: (...line: unknown[]) => void warnings.push(line) }
    announce({ events, log }, ['a', 'b'].map(noteOf))
    expect(notes).to.deep.equal(['b'])
    expect(warnings).to.deep.equal([['event not recorded', { error: failure }]])
  })
})
