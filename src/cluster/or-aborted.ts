/**
 * What was begun with a signal, or at once the signal's reason. undici by itself heeds a signal only when the request has a
 * connection: until then a call would outlive its deadline by as long as the connect may take.
 */
export function orAborted<T>(signal: AbortSignal, sent: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    void sent.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
