import type { Dispatcher } from 'undici'
import { Fenced } from './errors.ts'

/**
 * Asks whether a request may still be sent at the last moment there is: its turn has come, a connection is there, and its
 * first byte is written right after the answer. One that may not is not sent at all and ends with Fenced.
 */
export function fence(maySend: () => boolean): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (controller, context) => {
        if (!maySend()) throw new Fenced({ method: options.method, path: options.path.split('?', 1)[0] ?? '' })
        handler.onRequestStart?.(controller, context)
      },
      onResponseStart: (...response) => handler.onResponseStart?.(...response),
      onResponseData: (...data) => handler.onResponseData?.(...data),
      onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
      onResponseError: (...failure) => handler.onResponseError?.(...failure),
    })
}
