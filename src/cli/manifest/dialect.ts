import {
  boolYaml11Tag,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  NOT_RESOLVED,
  nullYaml11Tag,
  Schema,
  strTag,
} from 'js-yaml'

/**
 * YAML as kubectl reads it (sigs.k8s.io/yaml, a fork of go-yaml 2): the words of YAML 1.1, the numbers of Go, no timestamps,
 * no sexagesimals. It is neither YAML 1.1 nor 1.2: `yes` is true, `0777` and `0o777` are 511, `089` is 89, `1:30` is text.
 * Keys that stand twice are refused, where kubectl would silently take the last; unknown tags, `.inf` and `.nan` are refused.
 */
export function kubernetesDialect(): Schema {
  return new Schema([strTag, sequenceTag, mappingTag, nullYaml11Tag, boolYaml11Tag, intTag, floatTag, mergeKeyTag])
}

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']

const intTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: ['-', '+', ...digits],
  resolve: (source) => goInteger(source.replaceAll('_', '')) ?? NOT_RESOLVED,
  identify: () => false,
})

const floatTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: ['-', '+', '.', ...digits],
  resolve: (source) => goFloat(source) ?? NOT_RESOLVED,
  identify: () => false,
})

const integerForms: readonly (readonly [RegExp, number])[] = [
  [/^([-+]?)0[xX]([0-9a-fA-F]+)$/, 16],
  [/^([-+]?)0[bB]([01]+)$/, 2],
  [/^([-+]?)0[oO]?([0-7]+)$/, 8],
  [/^([-+]?)(0|[1-9][0-9]*)$/, 10],
]

/** As strconv.ParseInt with base 0. null: no integer. */
function goInteger(text: string): number | null {
  for (const [form, base] of integerForms) {
    const [, sign, magnitude] = form.exec(text) ?? []
    if (magnitude !== undefined) return (sign === '-' ? -1 : 1) * Number.parseInt(magnitude, base) || 0
  }
  return null
}

const infinity = /^[-+]?\.(inf|Inf|INF)$/
const notANumber = /^\.(nan|NaN|NAN)$/
const floatForm = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/

/** null: no number, or one too large, which go-yaml takes for text. What is not finite is refused where it is used. */
function goFloat(source: string): number | null {
  if (infinity.test(source)) return source.startsWith('-') ? -Infinity : Infinity
  if (notANumber.test(source)) return Number.NaN
  const text = source.startsWith('.') ? source : source.replaceAll('_', '')
  const value = floatForm.test(text) ? Number(text) : Infinity
  return Number.isFinite(value) ? value : null
}

/** Stands for a plain `<<` until it is known whether that is a key. */
const mergeKey = Symbol('<<')

const mergeKeyTag = defineScalarTag<typeof mergeKey>('tag:lapse.dev,2026:merge-key', {
  implicit: true,
  implicitFirstChars: ['<'],
  resolve: (source) => (source === '<<' ? mergeKey : NOT_RESOLVED),
  identify: () => false,
})

interface OpenMapping {
  readonly result: Record<string, unknown>
  /** Keys that were written out, not merged in. */
  readonly written: Set<string>
}

const mappingTag = defineMappingTag<OpenMapping, Record<string, unknown>>('tag:yaml.org,2002:map', {
  create: () => ({ result: {}, written: new Set() }),
  addPair: (mapping, key, value) => (key === mergeKey ? merge(mapping, value) : write(mapping, key, plain(value))),
  has: ({ written }, key) => key !== mergeKey && written.has(String(key)),
  keys: (result) => Object.keys(result),
  get: (result, key) => result[String(key)],
  finalize: ({ result }) => result,
  identify: () => false,
})

const sequenceTag = defineSequenceTag<unknown[]>('tag:yaml.org,2002:seq', {
  create: () => [],
  addItem: (items, item) => {
    items.push(plain(item))
    return isNoJson(item) ? noJson : ''
  },
  // With this js-yaml refuses a list that contains itself, as it does a mapping.
  finalize: (items) => items,
  identify: () => false,
})

function write({ result, written }: OpenMapping, key: unknown, value: unknown): string {
  if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'boolean')
    return 'a key must be text or a number'
  if (isNoJson(value)) return noJson
  written.add(String(key))
  set(result, String(key), value)
  return ''
}

/** What is merged in wins over what stands before it, and loses to what stands behind it, as in go-yaml 2. */
function merge({ result }: OpenMapping, source: unknown): string {
  const sources = Array.isArray(source) ? source.toReversed() : [source]
  for (const mapping of sources) {
    if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping))
      return 'only mappings can be merged in by <<'
    for (const [key, value] of Object.entries(mapping)) set(result, key, value)
  }
  return ''
}

function set(object: Record<string, unknown>, key: string, value: unknown): void {
  // `__proto__` is a key like any other, and the one that an assignment would not write.
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  else object[key] = value
}

const noJson = '.inf and .nan are no JSON: no API server can be sent them'

function isNoJson(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value)
}

function plain(value: unknown): unknown {
  return value === mergeKey ? '<<' : value
}
