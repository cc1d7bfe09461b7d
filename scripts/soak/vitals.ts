import type { Pod } from '../../test/support/pod.ts'

/** What a process says of itself under /metrics. */
export interface Vitals {
  readonly rssMegabytes: number
  readonly heapMegabytes: number
  readonly openFiles: number
  /** What keeps its event loop alive: sockets, timers, requests. */
  readonly handles: number
  /** Since its start, of all resources. */
  readonly watchRestarts: number
}

const patience = 2_000

/** null: it does not answer. */
export async function vitalsOf(pod: Pod): Promise<Vitals | null> {
  try {
    const answer = await fetch(`http://127.0.0.1:${pod.localPort(8080)}/metrics`, {
      signal: AbortSignal.timeout(patience),
    })
    return read(await answer.text())
  } catch {
    return null
  }
}

function read(text: string): Vitals {
  return {
    rssMegabytes: total(text, 'process_resident_memory_bytes') / 2 ** 20,
    heapMegabytes: total(text, 'nodejs_heap_size_used_bytes') / 2 ** 20,
    openFiles: total(text, 'process_open_fds'),
    handles: total(text, 'nodejs_active_resources_total'),
    watchRestarts: total(text, 'lapse_watch_restarts_total'),
  }
}

/** Over all labels. */
function total(text: string, name: string): number {
  const lines = text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0)
}
