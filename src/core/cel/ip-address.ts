/** An address as a number; 32 or 128 bits of it. */
export interface Address {
  readonly family: 4 | 6
  readonly bits: bigint
}

export interface Network extends Address {
  /** Of the prefix, in bits. */
  readonly length: number
}

export function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128
}

/** As Go's netip reads it, less zones and IPv4 in IPv6, which Kubernetes refuses too; null: no address. */
export function parseAddress(from: string): Address | null {
  if (from.length > 45) return null
  return from.includes(':') ? parse6(from) : parse4(from)
}

function parse4(from: string): Address | null {
  const parts = from.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null
  return { family: 4, bits: parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n) }
}

function parse6(from: string): Address | null {
  const halves = from.split('::')
  if (halves.length > 2) return null
  const [left = [], right = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - left.length - right.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  const groups = [...left, ...Array<string>(Math.max(0, missing)).fill('0'), ...right]
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null
  const bits = groups.reduce((all, group) => (all << 16n) | BigInt(`0x${group}`), 0n)
  return bits >> 32n === 0xffffn ? null : { family: 6, bits }
}

/** `10.0.0.0/8`; null: no network. The bits behind the prefix may be set, as in `10.1.2.3/8`. */
export function parseNetwork(from: string): Network | null {
  const [text = '', prefix = '', ...rest] = from.split('/')
  const address = parseAddress(text)
  if (address === null || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return null
  const length = Number(prefix)
  return length > widthOf(address.family) ? null : { ...address, length }
}

/** With the bits behind the prefix at zero. */
export function masked({ family, bits, length }: Network): Network {
  const rest = BigInt(widthOf(family) - length)
  return { family, length, bits: (bits >> rest) << rest }
}

export function contains(network: Network, inner: Address & { readonly length?: number }): boolean {
  const length = inner.length ?? widthOf(inner.family)
  if (network.family !== inner.family || length < network.length) return false
  const rest = BigInt(widthOf(network.family) - network.length)
  return network.bits >> rest === inner.bits >> rest
}

/** In the one form that RFC 5952 has for it. */
export function formatAddress({ family, bits }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - index * 16)) & 0xffffn).toString(16))
  const zeros = [...groups.join(':').matchAll(/\b0(?::0)+\b/g)].sort((a, b) => b[0].length - a[0].length)[0]
  if (zeros === undefined) return groups.join(':')
  const text = groups.join(':')
  const before = text.slice(0, zeros.index).replace(/:$/, '')
  const after = text.slice(zeros.index + zeros[0].length).replace(/^:/, '')
  return `${before}::${after}`
}
