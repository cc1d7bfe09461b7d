/** What is known of a value before it is there. `dyn`: nothing. */
export type Tag =
  | 'dyn'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null'
  | 'list'
  | 'map'
  | 'type'
  | 'timestamp'
  | 'duration'
  | 'quantity'
  | 'ip'
  | 'cidr'
  | 'semver'

/** A map whose fields are all known: any other is refused when the expression is written. */
export interface RecordType {
  readonly fields: Readonly<Record<string, Type>>
}

export type Type = Tag | RecordType

export function isRecord(type: Type): type is RecordType {
  return typeof type === 'object'
}

export function describeType(type: Type): string {
  return isRecord(type) ? 'map' : type
}

/** Whether a value of the type may be what is wanted. */
export function fits(type: Type, wanted: Tag): boolean {
  const tag = isRecord(type) ? 'map' : type
  return wanted === 'dyn' || tag === 'dyn' || tag === wanted
}

/** The type of what is one or the other. */
export function joined(a: Type, b: Type): Type {
  return a === b ? a : 'dyn'
}
