import type { CelValue } from '@bufbuild/cel'
import { Fault } from './meter.ts'
import { overload, text, type Overload } from './overload.ts'
import { unwrap, wrap } from './value.ts'
import { compareVersions } from './version-order.ts'

/** Of semver.org. */
const form =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/

const longest = 256

/** As in Kubernetes no number may need more than 64 bits. */
const largest = 2n ** 64n - 1n

function isVersion(from: string): boolean {
  if (from.length > longest || !form.test(from)) return false
  const [version = ''] = from.split('+')
  const identifiers = version.replace('-', '.').split('.')
  return identifiers.every((each) => !/^\d{20,}$/.test(each) || BigInt(each) <= largest)
}

function versionOf(value: CelValue | undefined): string {
  return unwrap(value ?? null, 'semver').text
}

function read([from]: readonly CelValue[]): CelValue {
  if (!isVersion(text(from))) throw new Fault('the text is no semantic version')
  return wrap({ tag: 'semver', text: text(from) })
}

function part(index: 1 | 2 | 3): Overload['run'] {
  return ([version]) => {
    const number = BigInt(form.exec(versionOf(version))?.[index] ?? 0)
    if (number >= 2n ** 63n) throw new Fault('the number is too large')
    return number
  }
}

function compare([a, b]: readonly CelValue[]): number {
  return compareVersions(versionOf(a), versionOf(b))
}

export const versions: readonly Overload[] = [
  overload('semver', ['string'], 'semver', read),
  overload('isSemver', ['string'], 'bool', ([from]) => isVersion(text(from))),
  overload('.major', ['semver'], 'int', part(1)),
  overload('.minor', ['semver'], 'int', part(2)),
  overload('.patch', ['semver'], 'int', part(3)),
  overload('.isLessThan', ['semver', 'semver'], 'bool', (both) => compare(both) < 0),
  overload('.isGreaterThan', ['semver', 'semver'], 'bool', (both) => compare(both) > 0),
  overload('.compareTo', ['semver', 'semver'], 'int', (both) => BigInt(compare(both))),
]
