import type { Millis } from '../../src/core/time.ts'

/** A request to an API server, as one in front of it sees it. */
export interface SeenRequest {
  readonly verb: 'get' | 'list' | 'watch' | 'write'
  /** Without the query. */
  readonly path: string
  /** As text, for many thousands are kept while the heap is looked at. */
  readonly query: string
  /** When it came, on this process' monotonic clock. */
  readonly at: Millis
}

export function seenRequest(method: string, url: string): SeenRequest {
  const { pathname: path, search: query } = new URL(url, 'https://127.0.0.1')
  return { verb: verbOf(method, path, query), path, query, at: performance.now() }
}

function verbOf(method: string, path: string, query: string): SeenRequest['verb'] {
  if (method !== 'GET') return 'write'
  if (new URLSearchParams(query).get('watch') === 'true') return 'watch'
  const [, ...rest] =
    /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)(?:\/namespaces\/[^/]+(?=\/))?\/([^/]+)(\/.+)?$/.exec(path) ?? []
  return rest[0] !== undefined && rest[1] === undefined ? 'list' : 'get'
}

/** Concerns only the first so many of the requests that concern it. */
export function onlyFirst(
  count: number,
  concerns: (request: SeenRequest) => boolean,
): (request: SeenRequest) => boolean {
  let left = count
  return (request) => concerns(request) && left-- > 0
}

/** The largest number of them that came within any one second. */
export function mostInASecond(requests: readonly SeenRequest[]): number {
  let first = 0
  return requests.reduce((most, { at }, last) => {
    while (requests[first]!.at <= at - 1_000) first += 1
    return Math.max(most, last - first + 1)
  }, 0)
}
