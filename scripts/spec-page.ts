import type { ObjectSchema, Schema } from '../src/api/schema.ts'
import type { Kind } from '../src/api/v1alpha1/crds.ts'

/** The reference page of a kind, from its schema alone. */
export function specPage(kind: Kind): string {
  const lines = [
    '<!-- Generated from src/api by scripts/generate.ts; change it there. -->',
    `# ${kind.kind}`,
    '',
    kind.schema.description ?? '',
    '',
    `\`lapse.dev/v1alpha1\` · ${kind.scope === 'Cluster' ? 'cluster-scoped' : 'namespaced'} · \`kubectl get ${kind.shortName}\``,
  ]
  for (const part of ['spec', 'status']) {
    const schema = kind.schema.properties[part]
    if (schema === undefined || !('properties' in schema)) continue
    lines.push('', `## ${part}`, '', schema.description ?? '', '')
    lines.push('| field | type | meaning |', '| --- | --- | --- |', ...fieldRows(schema, ''))
    const rules = rulesOf(schema, part)
    if (rules.length > 0)
      lines.push('', `### Rules on ${part}`, '', ...rules.map(([path, message]) => `- \`${path}\`: ${message}`))
  }
  return `${lines.join('\n')}\n`
}

function fieldRows(schema: ObjectSchema, prefix: string): readonly string[] {
  return Object.entries(schema.properties).flatMap(([name, property]) => {
    const path = `${prefix}${name}`
    const required = schema.required?.includes(name) === true ? ' **Required.**' : ''
    const row = `| \`${path}\` | ${typeText(property)} | ${escape(property.description ?? '')}${required}${defaultText(property)} |`
    const inner = innerObject(property)
    return inner === null ? [row] : [row, ...fieldRows(inner.schema, `${path}${inner.suffix}.`)]
  })
}

function innerObject(schema: Schema): { readonly schema: ObjectSchema; readonly suffix: string } | null {
  if (schema.type === 'object' && 'properties' in schema) return { schema, suffix: '' }
  if (schema.type === 'array' && schema.items.type === 'object' && 'properties' in schema.items)
    return { schema: schema.items, suffix: '[]' }
  return null
}

function typeText(schema: Schema): string {
  switch (schema.type) {
    case 'string':
      if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ')
      return schema.format === 'date-time' ? 'RFC 3339 time' : 'string'
    case 'array':
      return `list of ${typeText(schema.items)}`
    case 'object':
      return 'properties' in schema ? 'object' : 'map of strings'
    case 'integer':
    case 'boolean':
      return schema.type
  }
}

function defaultText(schema: Schema): string {
  return 'default' in schema && schema.default !== undefined ? ` Default: \`${JSON.stringify(schema.default)}\`.` : ''
}

function rulesOf(schema: Schema, path: string): readonly (readonly [string, string])[] {
  const own = (schema['x-kubernetes-validations'] ?? []).map((rule) => [path, rule.message] as const)
  if (schema.type === 'array') return [...own, ...rulesOf(schema.items, `${path}[]`)]
  if (schema.type !== 'object' || !('properties' in schema)) return own
  return [
    ...own,
    ...Object.entries(schema.properties).flatMap(([name, property]) => rulesOf(property, `${path}.${name}`)),
  ]
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|')
}
