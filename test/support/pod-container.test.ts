import { expect } from 'chai'

import { containerEnvironment, expand } from './pod-container.ts'

const environment = { HOST: '10.0.0.1', PORT: '443' }

const expansions = [
  ['puts a variable in its place', 'https://$(HOST):$(PORT)/', 'https://10.0.0.1:443/'],
  ['leaves an unknown variable as it is', '$(NOBODY)', '$(NOBODY)'],
  ['makes $$ one dollar, and what follows no reference', '$$(HOST) $$$(HOST)', '$(HOST) $10.0.0.1'],
  ['leaves a dollar without parentheses alone', '$HOST 5$', '$HOST 5$'],
] as const

describe('the container of a played pod', () => {
  for (const [sentence, text, expected] of expansions) {
    it(sentence, () => expect(expand(text, environment)).to.equal(expected))
  }

  const pod = { name: 'api-1', namespace: 'payments', serviceAccountName: 'api' }

  it('gives a variable those before it, not those after it', () => {
    const env = [
      { name: 'A', value: '$(HOST)/$(B)' },
      { name: 'B', value: '$(A)' },
    ]
    const made = containerEnvironment({ env }, pod, environment, {})
    expect(made).to.include({ A: '10.0.0.1/$(B)', B: '10.0.0.1/$(B)' })
  })

  it('lets the caller override last', () => {
    const made = containerEnvironment({ env: [{ name: 'PORT', value: '1' }] }, pod, environment, { PORT: '2' })
    expect(made['PORT']).to.equal('2')
  })

  it('refuses a source of a value that it does not play', () => {
    const env = [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }]
    expect(() => containerEnvironment({ env }, pod, {}, {})).to.throw('variable IP')
  })
})
