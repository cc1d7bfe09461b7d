import { UsageError } from './usage-error.ts'

export interface Address {
  /** Absent: every interface. */
  readonly host?: string
  readonly port: number
}

/** Reads `:8443`, `127.0.0.1:8443` or `[::1]:8443`. Throws UsageError naming the option. */
export function parseAddress(option: string, text: string): Address {
  const parts = /^(\[[0-9a-fA-F:]+\]|[^:\s]*):(\d{1,5})$/.exec(text)
  const port = Number(parts?.[2])
  if (parts === null || port > 65_535)
    throw new UsageError(`${option} must be HOST:PORT or :PORT, not ${JSON.stringify(text)}`)
  const host = (parts[1] ?? '').replace(/^\[|\]$/g, '')
  return host === '' ? { port } : { host, port }
}
