import { expect } from 'chai'
import { getEventListeners } from 'node:events'
import { orAborted } from '../../src/cluster/or-aborted.ts'

const never = new Promise<never>(() => {})
const reason = new Error('given up')

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error,
  )
}

describe('what was begun with a signal', () => {
  let abort: AbortController
  beforeEach(() => {
    abort = new AbortController()
  })
  afterEach(() => expect(getEventListeners(abort.signal, 'abort'), 'what is left at the signal').to.be.empty)

  it('ends as it ends while the signal is calm', async () => {
    expect(await orAborted(abort.signal, Promise.resolve(1))).to.equal(1)
    expect(await failureOf(orAborted(abort.signal, Promise.reject(reason)))).to.equal(reason)
  })

  it('ends with the reason of the signal, though it goes on for ever', async () => {
    const failure = failureOf(orAborted(abort.signal, never))
    abort.abort(reason)
    expect(await failure).to.equal(reason)
  })

  it('ends at once when the signal is aborted already', async () => {
    abort.abort(reason)
    expect(await failureOf(orAborted(abort.signal, never))).to.equal(reason)
  })
})
