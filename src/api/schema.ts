/** A CEL rule that kube-apiserver evaluates on every write, as in `x-kubernetes-validations`. */
export interface ValidationRule {
  readonly rule: string
  readonly message: string
}

interface Described {
  /** Shown by `kubectl explain` and in docs/spec; says what omission means. */
  readonly description?: string
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[]
}

export interface StringSchema extends Described {
  readonly type: 'string'
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly format?: 'date-time'
  readonly minLength?: number
  readonly maxLength?: number
  readonly default?: string
}

export interface IntegerSchema extends Described {
  readonly type: 'integer'
  readonly format?: 'int32' | 'int64'
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: number
}

export interface BooleanSchema extends Described {
  readonly type: 'boolean'
  readonly default?: boolean
}

export interface ArraySchema extends Described {
  readonly type: 'array'
  readonly items: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

export interface ObjectSchema extends Described {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly default?: Readonly<Record<string, never>>
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular'
}

export interface MapSchema extends Described {
  readonly type: 'object'
  readonly additionalProperties: StringSchema
  readonly maxProperties?: number
}

/** The part of OpenAPI v3 that a CustomResourceDefinition takes (a structural schema) and that Lapse uses. */
export type Schema = StringSchema | IntegerSchema | BooleanSchema | ArraySchema | ObjectSchema | MapSchema

/** The static type of the values that a schema written `as const` admits, before defaulting. */
export type Static<S> = S extends { type: 'string'; enum: readonly (infer E)[] }
  ? E
  : S extends { type: 'string' }
    ? string
    : S extends { type: 'integer' }
      ? number
      : S extends { type: 'boolean' }
        ? boolean
        : S extends { type: 'array'; items: infer I }
          ? readonly Static<I>[]
          : S extends { type: 'object'; properties: infer P }
            ? StaticObject<P, S extends { required: readonly (infer R)[] } ? R : never>
            : S extends { type: 'object'; additionalProperties: infer V }
              ? Readonly<Record<string, Static<V>>>
              : never

type StaticObject<P, R> = { readonly [K in keyof P as K extends R ? K : never]: Static<P[K]> } & {
  readonly [K in keyof P as K extends R ? never : K]?: Static<P[K]>
}
