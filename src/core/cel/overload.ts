import type { CelValue } from '@bufbuild/cel'
import type { Meter } from './meter.ts'
import type { Tag } from './type.ts'

/** One way to call a function. */
export interface Overload {
  /** Of a method with a dot before it: `.startsWith`. Its receiver is the first argument. */
  readonly name: string
  readonly takes: readonly Tag[]
  readonly gives: Tag
  /** Whether its price depends on the size of what it is given. A `read` looks at a whole list, a `constant` does not. */
  readonly price: 'read' | 'constant'
  /** Throws Fault, or whatever the engine throws. */
  readonly run: (args: readonly CelValue[], context: CallContext) => CelValue
}

export interface CallContext {
  readonly meter: Meter
  /** Calls another function. */
  readonly call: (name: string, args: readonly CelValue[]) => CelValue
}

export function overload(
  name: string,
  takes: readonly Tag[],
  gives: Tag,
  run: Overload['run'],
  price: Overload['price'] = 'read',
): Overload {
  return { name, takes, gives, price, run }
}

/** Arguments are of the types that the overload takes: whoever calls has looked. */
export function text(value: CelValue | undefined): string {
  return value as string
}

export function int(value: CelValue | undefined): bigint {
  return value as bigint
}
