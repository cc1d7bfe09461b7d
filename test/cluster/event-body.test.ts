import { expect } from 'chai'

import { contentOf, eventNameOf, eventOf, eventPathOf, eventsPathOf, seriesOf } from '../../src/cluster/event-body.ts'
import type { EventSeries } from '../../src/cluster/event-series.ts'
import type { EventNote } from '../../src/cluster/ports.ts'

const metadata = { namespace: 'payments', name: 'g', uid: 'u-1', resourceVersion: '7', labels: { secret: 'yes' } }
const grant = { apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant', metadata, spec: { reason: 'private' } }

function noteOf(changed: Partial<EventNote> = {}): EventNote {
  return { regarding: grant, type: 'Normal', reason: 'Issued', action: 'Issue', note: 'until noon', ...changed }
}

function seriesLike(changed: Partial<EventSeries> = {}): EventSeries {
  const at = Date.UTC(2026, 0, 1, 12, 0, 0, 7)
  const counts = { count: 1, written: 0, seenAt: 0, writtenAt: 0, callOff: null }
  return { key: '', name: 'g.1', content: contentOf(noteOf()), firstAt: at, lastAt: at, ...counts, ...changed }
}

const bytesOf = (text: string): number => Buffer.byteLength(text)

describe('the body of an Event', () => {
  it('says what happened to what, when, and who says so, and nothing else of the object', () => {
    expect(eventOf(seriesLike(), 'pod-1')).to.deep.equal({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'g.1', namespace: 'payments' },
      eventTime: '2026-01-01T12:00:00.007000Z',
      reportingController: 'lapse.dev/controller',
      reportingInstance: 'pod-1',
      regarding: {
        apiVersion: 'lapse.dev/v1alpha1',
        kind: 'NHIGrant',
        namespace: 'payments',
        name: 'g',
        uid: 'u-1',
        resourceVersion: '7',
      },
      type: 'Normal',
      reason: 'Issued',
      action: 'Issue',
      note: 'until noon',
    })
  })

  it('that was seen more than once has the series from the start', () => {
    const lastAt = Date.UTC(2026, 0, 1, 12, 0, 5)
    expect(eventOf(seriesLike({ count: 3, lastAt }), 'pod-1')).to.deep.include({
      eventTime: '2026-01-01T12:00:00.007000Z',
      series: { count: 3, lastObservedTime: '2026-01-01T12:00:05.000000Z' },
    })
  })

  it('is patched in its series only', () => {
    expect(seriesOf(seriesLike({ count: 2 }))).to.deep.equal({
      series: { count: 2, lastObservedTime: '2026-01-01T12:00:00.007000Z' },
    })
  })

  it('names its reporter in 128 characters at most', () => {
    expect(eventOf(seriesLike(), 'x'.repeat(200))).to.include({ reportingInstance: 'x'.repeat(128) })
  })

  it('lies in the namespace of what it regards', () => {
    expect(eventsPathOf(seriesLike())).to.equal('/apis/events.k8s.io/v1/namespaces/payments/events')
    expect(eventPathOf(seriesLike())).to.equal('/apis/events.k8s.io/v1/namespaces/payments/events/g.1')
  })

  it('lies in `default` when that is cluster-scoped, and says of it no namespace', () => {
    const { namespace: _, ...clusterScoped } = metadata
    const content = contentOf(noteOf({ regarding: { ...grant, metadata: clusterScoped } }))
    expect(content.regarding).not.to.have.property('namespace')
    expect(eventsPathOf(seriesLike({ content }))).to.equal('/apis/events.k8s.io/v1/namespaces/default/events')
    expect(eventOf(seriesLike({ content }), 'i')).to.have.nested.property('metadata.namespace', 'default')
  })

  describe('has a note', () => {
    const notes: readonly (readonly [sentence: string, note: string, written: string])[] = [
      ['left as it is', 'ended ✓', 'ended ✓'],
      ['of exactly 1,024 bytes left whole', 'a'.repeat(1_024), 'a'.repeat(1_024)],
      ['cut after 1,024 bytes, mark included', 'a'.repeat(1_025), `${'a'.repeat(1_021)}…`],
      ['cut before a character of 2 bytes that would be torn', `${'a'.repeat(1_020)}ééé`, `${'a'.repeat(1_020)}…`],
      ['cut before a character of 3 bytes that would be torn', `${'a'.repeat(1_019)}€€€`, `${'a'.repeat(1_019)}…`],
      ['cut before a character of 4 bytes that would be torn', `${'a'.repeat(1_018)}😀😀`, `${'a'.repeat(1_018)}…`],
      ['cut after a character of 4 bytes that fits', `${'a'.repeat(1_017)}😀😀`, `${'a'.repeat(1_017)}😀…`],
      ['without half of a surrogate pair', 'a\ud83d', 'a\ufffd'],
    ]
    for (const [sentence, note, written] of notes)
      it(sentence, () => {
        const content = contentOf(noteOf({ note }))
        expect(content.note).to.equal(written)
        expect(bytesOf(content.note)).to.be.at.most(1_024)
      })
  })

  describe('has a name', () => {
    const at = Date.UTC(2026, 0, 1, 12, 0, 0, 7)
    const valid = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
    const names: readonly (readonly [sentence: string, regarded: string, name: string])[] = [
      ['of the regarded object and 16 hex digits', 'deploy', 'deploy.19b796dd60702800'],
      ['of at most 253 characters', 'x'.repeat(253), `${'x'.repeat(236)}.19b796dd60702800`],
      ['without the dot on which it is cut', `${'x'.repeat(235)}.yy`, `${'x'.repeat(235)}.19b796dd60702800`],
      ['without the dashes on which it is cut', `${'x'.repeat(234)}--yy`, `${'x'.repeat(234)}.19b796dd60702800`],
      ['of the kind when that of the object is not valid for an Event', 'system:node', 'nhigrant.19b796dd60702800'],
    ]
    for (const [sentence, name, expected] of names)
      it(sentence, () => {
        const { regarding } = contentOf(noteOf({ regarding: { ...grant, metadata: { ...metadata, name } } }))
        expect(eventNameOf(regarding, { at, sequence: 2, random: 0.5 })).to.equal(expected)
        expect(expected).to.match(valid)
        expect(expected.length).to.be.at.most(253)
      })

    it('whose digits are as many for the smallest and the largest numbers', () => {
      const { regarding } = contentOf(noteOf())
      const largest = { at: Date.UTC(2500, 0, 1), sequence: 0x1ff, random: 1 - Number.EPSILON }
      expect(eventNameOf(regarding, { at: 0, sequence: 0, random: 0 })).to.equal('g.0000000000000000')
      expect(eventNameOf(regarding, largest)).to.match(/^g\.[0-9a-f]{11}fffff$/)
    })

    it('that follows, among those of one object, the time and then the sequence, whatever the random part', () => {
      const { regarding } = contentOf(noteOf())
      const inOrder = [
        { at, sequence: 9, random: 0.9 },
        { at: at + 1, sequence: 10, random: 0.5 },
        { at: at + 1, sequence: 11, random: 0.1 },
        { at: at + 86_400_000, sequence: 0, random: 0 },
      ].map((each) => eventNameOf(regarding, each))
      expect([...inOrder].sort()).to.deep.equal(inOrder)
    })
  })
})
