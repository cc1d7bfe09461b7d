/**
 * Whether two JSON values say the same to Kubernetes: the order of fields makes no difference, nor whether a field is
 * absent, null, or an empty text, list or number. An empty object is a value of its own, except labels and annotations.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]))
  }
  if (!isMap(a) || !isMap(b)) return a === b
  const fields = new Set([...fieldsOf(a), ...fieldsOf(b)])
  return [...fields].every(
    (field) => Object.hasOwn(a, field) && Object.hasOwn(b, field) && sameJson(a[field], b[field]),
  )
}

type JsonMap = Readonly<Record<string, unknown>>

function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fieldsOf(object: JsonMap): readonly string[] {
  return Object.keys(object).filter((field) => !isEmpty(field, object[field]))
}

function isEmpty(field: string, value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return isMap(value) && maps.includes(field) && Object.keys(value).length === 0
}

const maps = ['labels', 'annotations', 'matchLabels']
