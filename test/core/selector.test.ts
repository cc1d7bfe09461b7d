import { expect } from 'chai'
import { selects, type Labels, type LabelSelector } from '../../src/core/selector.ts'

interface Sentence {
  readonly sentence: string
  readonly selector: LabelSelector | null
  readonly labels: Labels
  readonly selected: boolean
}

const payments = { team: 'payments', tier: '1' }

const table: readonly Sentence[] = [
  { sentence: 'one that was omitted matches nothing', selector: null, labels: payments, selected: false },
  { sentence: '{} matches everything', selector: {}, labels: payments, selected: true },
  { sentence: '{} matches what has no labels', selector: {}, labels: {}, selected: true },
  {
    sentence: 'a label with the wanted value matches',
    selector: { matchLabels: { team: 'payments' } },
    labels: payments,
    selected: true,
  },
  {
    sentence: 'a label with another value does not',
    selector: { matchLabels: { team: 'search' } },
    labels: payments,
    selected: false,
  },
  {
    sentence: 'every label must match',
    selector: { matchLabels: { team: 'payments', tier: '2' } },
    labels: payments,
    selected: false,
  },
  {
    sentence: 'labels and expressions must both hold',
    selector: {
      matchLabels: { team: 'payments' },
      matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['1'] }],
    },
    labels: payments,
    selected: false,
  },
  ...expression('In finds a listed value', { key: 'tier', operator: 'In', values: ['1', '2'] }, true),
  ...expression('In does not find another value', { key: 'tier', operator: 'In', values: ['2'] }, false),
  ...expression('In needs the label', { key: 'none', operator: 'In', values: [''] }, false),
  ...expression('In without values finds nothing', { key: 'tier', operator: 'In' }, false),
  ...expression('NotIn holds without the label', { key: 'none', operator: 'NotIn', values: ['1'] }, true),
  ...expression('NotIn fails on a listed value', { key: 'tier', operator: 'NotIn', values: ['1'] }, false),
  ...expression('Exists finds the label', { key: 'tier', operator: 'Exists' }, true),
  ...expression('Exists misses the label', { key: 'none', operator: 'Exists' }, false),
  ...expression('DoesNotExist holds without the label', { key: 'none', operator: 'DoesNotExist' }, true),
  ...expression('DoesNotExist fails with the label', { key: 'tier', operator: 'DoesNotExist' }, false),
  ...expression('`constructor` is not a label of everything', { key: 'constructor', operator: 'Exists' }, false),
  ...expression('`__proto__` is not a label of everything', { key: '__proto__', operator: 'DoesNotExist' }, true),
  {
    sentence: '`constructor` is a label where it is set',
    selector: { matchLabels: { constructor: 'yes' } as unknown as Labels },
    labels: { constructor: 'yes' },
    selected: true,
  },
]

function expression(
  sentence: string,
  requirement: NonNullable<LabelSelector['matchExpressions']>[number],
  selected: boolean,
): readonly Sentence[] {
  return [{ sentence, selector: { matchExpressions: [requirement] }, labels: payments, selected }]
}

describe('a label selector', () => {
  for (const { sentence, selector, labels, selected } of table) {
    it(sentence, () => expect(selects(selector, labels)).to.equal(selected))
  }
})
