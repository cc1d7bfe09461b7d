/**
 * What was begun with a signal, or at once the signal's reason. undici by itself heeds a signal only when the request has a
 * connection: until then a call would outlive its deadline by as long as the connect may take. What was begun may go on for
 * ever: the signal keeps nothing of it.
 */
export function orAborted<T>(signal: AbortSignal, begun: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    void begun.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
