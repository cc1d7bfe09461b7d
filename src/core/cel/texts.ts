import { celList, type CelValue } from '@bufbuild/cel'
import { Fault } from './meter.ts'
import { int, overload, text, type Overload } from './overload.ts'

/** As Kubernetes counts them: in code points, and a start that lies behind the end finds nothing. */
function startOf(start: bigint): bigint {
  if (start < 0n) throw new Fault('there is no such index')
  return start
}

function indexFrom(subject: string, wanted: string, start: bigint): bigint {
  if (wanted === '') return start
  const [all, sought] = [Array.from(subject), Array.from(wanted)]
  if (startOf(start) >= all.length) return -1n
  return BigInt(positions(all, sought).find((index) => index >= start) ?? -1)
}

function lastIndexFrom(subject: string, wanted: string, start: bigint): bigint {
  if (wanted === '') return start
  const [all, sought] = [Array.from(subject), Array.from(wanted)]
  if (startOf(start) >= all.length) return -1n
  return BigInt(positions(all, sought).findLast((index) => index <= start) ?? -1)
}

/** Every index in the one list of characters at which the other begins. */
function positions(all: readonly string[], sought: readonly string[]): readonly number[] {
  const found: number[] = []
  for (let index = 0; index + sought.length <= all.length; index++)
    if (sought.every((character, offset) => all[index + offset] === character)) found.push(index)
  return found
}

/** As Go's strings.Replace: fewer than 0 are all, and an empty text is found before every character and at the end. */
function replace(subject: string, old: string, by: string, most: bigint): string {
  const pieces = old === '' ? ['', ...Array.from(subject)] : subject.split(old)
  const last = old === '' ? pieces.length : pieces.length - 1
  const count = most < 0n || most > BigInt(last) ? last : Number(most)
  if (old !== '') return [pieces.slice(0, count + 1).join(by), ...pieces.slice(count + 1)].join(old)
  return pieces.map((piece, index) => (index < count ? `${piece}${by}` : piece)).join('')
}

/** As Go's strings.SplitN: fewer than 0 are all, and the last of so many is the rest. */
function split(subject: string, by: string, most: bigint): CelValue {
  const all = by === '' ? Array.from(subject) : subject.split(by)
  if (most < 0n || most >= BigInt(all.length)) return celList(all)
  if (most === 0n) return celList([])
  const count = Number(most)
  return celList([...all.slice(0, count - 1), all.slice(count - 1).join(by)])
}

function substring(subject: string, start: bigint, end: bigint | null): string {
  const all = Array.from(subject)
  const last = end ?? BigInt(all.length)
  if (start < 0n || start > last || last > BigInt(all.length)) throw new Fault('there is no such index')
  return all.slice(Number(start), Number(last)).join('')
}

function charAt(subject: string, index: bigint): string {
  const all = Array.from(subject)
  if (index < 0n || index > BigInt(all.length)) throw new Fault('there is no such index')
  return all[Number(index)] ?? ''
}

/** By code points, as by the bytes of UTF-8. Below 0: the first comes before the other. */
function compare(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  let index = 0
  while (index < length && a[index] === b[index]) index++
  if (index === length) return a.length - b.length
  const isAmid = index > 0 && /[\uD800-\uDBFF]/.test(a[index - 1] ?? '')
  const at = isAmid ? index - 1 : index
  return (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0)
}

/** What the engine does otherwise than Kubernetes: it counts in halves of characters, or from elsewhere. */
export const texts: readonly Overload[] = [
  overload('_<_', ['string', 'string'], 'bool', ([a, b]) => compare(text(a), text(b)) < 0),
  overload('_<=_', ['string', 'string'], 'bool', ([a, b]) => compare(text(a), text(b)) <= 0),
  overload('_>_', ['string', 'string'], 'bool', ([a, b]) => compare(text(a), text(b)) > 0),
  overload('_>=_', ['string', 'string'], 'bool', ([a, b]) => compare(text(a), text(b)) >= 0),
  overload('.charAt', ['string', 'int'], 'string', ([of, index]) => charAt(text(of), int(index))),
  overload('.substring', ['string', 'int'], 'string', ([of, start]) => substring(text(of), int(start), null)),
  overload('.substring', ['string', 'int', 'int'], 'string', ([of, start, end]) =>
    substring(text(of), int(start), int(end)),
  ),
  overload('.replace', ['string', 'string', 'string'], 'string', ([of, old, by]) =>
    replace(text(of), text(old), text(by), -1n),
  ),
  overload('.replace', ['string', 'string', 'string', 'int'], 'string', ([of, old, by, most]) =>
    replace(text(of), text(old), text(by), int(most)),
  ),
  overload('.split', ['string', 'string'], 'list', ([of, by]) => split(text(of), text(by), -1n)),
  overload('.split', ['string', 'string', 'int'], 'list', ([of, by, most]) => split(text(of), text(by), int(most))),
  overload('.indexOf', ['string', 'string', 'int'], 'int', ([of, wanted, start], { meter }) => {
    meter.charge((text(of).length * text(wanted).length) / 100)
    return indexFrom(text(of), text(wanted), int(start))
  }),
  overload('.lastIndexOf', ['string', 'string', 'int'], 'int', ([of, wanted, start], { meter }) => {
    meter.charge((text(of).length * text(wanted).length) / 100)
    return lastIndexFrom(text(of), text(wanted), int(start))
  }),
]
