import { expect } from 'chai'
import {
  allowed,
  allowedWith,
  outcomeOf,
  refused,
  renderAnswer,
  warningOf,
  type Answer,
} from '../../src/webhook/answer.ts'

const uid = 'a "quoted" uid'
const rendered = (answer: Answer): unknown => JSON.parse(renderAnswer(uid, answer))
const envelope = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }

const warnings = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `w${index + 1}`)
const sent = (answer: Answer): readonly string[] =>
  (rendered(answer) as { response: { warnings: readonly string[] } }).response.warnings

describe('renderAnswer', () => {
  it('renders a plain yes', () => {
    expect(rendered(allowed)).to.deep.equal({ ...envelope, response: { uid, allowed: true } })
  })

  it('renders a yes with remarks', () => {
    const answer = allowedWith({ warnings: ['w'], auditAnnotations: { a: 'b' } })
    expect(rendered(answer)).to.deep.equal({
      ...envelope,
      response: { uid, allowed: true, warnings: ['w'], auditAnnotations: { a: 'b' } },
    })
  })

  it('renders a no as a Status that kubectl understands', () => {
    expect(rendered(refused(403, 'no', { warnings: ['w'] }))).to.deep.equal({
      ...envelope,
      response: {
        uid,
        allowed: false,
        warnings: ['w'],
        status: { status: 'Failure', code: 403, reason: 'Forbidden', message: 'no' },
      },
    })
  })

  describe('of many warnings', () => {
    it('sends 32 as they are', () => {
      expect(sent(allowedWith({ warnings: warnings(32) }))).to.deep.equal(warnings(32))
    })

    it('sends 32 in all of more, the last of which says how many are left out, with a yes and with a no', () => {
      expect(sent(allowedWith({ warnings: warnings(33) }))).to.deep.equal([...warnings(31), '… and 2 more'])
      expect(sent(refused(403, 'no', { warnings: warnings(150_000) }))).to.deep.equal([
        ...warnings(31),
        '… and 149969 more',
      ])
    })
  })

  it('renders a patch in base64', () => {
    const patch = [{ op: 'add', path: '/spec/requestedBy', value: 'ana' }] as const
    const response = (rendered(allowedWith({ patch })) as { response: { patchType: string; patch: string } }).response
    expect(response.patchType).to.equal('JSONPatch')
    expect(JSON.parse(Buffer.from(response.patch, 'base64').toString())).to.deep.equal(patch)
  })
})

describe('outcomeOf', () => {
  const outcomes: readonly (readonly [outcome: string, answer: Answer])[] = [
    ['allow', allowed],
    ['allow', allowedWith({ patch: [{ op: 'remove', path: '/a' }] })],
    ['warn', allowedWith({ warnings: ['w'], auditAnnotations: { a: 'b' } })],
    ['audit', allowedWith({ auditAnnotations: { a: 'b' } })],
    ['deny', refused(403, 'no', { warnings: ['w'] })],
    ['deny', refused(422, 'no')],
    ['error', refused(500, 'no')],
    ['error', refused(503, 'no')],
  ]
  for (const [outcome, answer] of outcomes)
    it(`counts ${JSON.stringify(answer)} as ${outcome}`, () => expect(outcomeOf(answer)).to.equal(outcome))
})

describe('warningOf', () => {
  it('leaves a line of 256 characters as it is', () => expect(warningOf('x'.repeat(256))).to.equal('x'.repeat(256)))
  it('cuts a longer one', () => expect(warningOf('x'.repeat(257))).to.equal(`${'x'.repeat(255)}…`))
  it('cuts no character in two', () => expect(warningOf('🔑'.repeat(200)).isWellFormed()).to.equal(true))
  it('makes one line of several, so that no header can be forged', () => {
    expect(warningOf('a\r\nSet-Cookie: b\u0000c\td')).to.equal('a Set-Cookie: b c d')
  })
})
