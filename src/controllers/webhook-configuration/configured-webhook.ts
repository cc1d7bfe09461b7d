import { isObject } from '../../api/validate.ts'

/** What decides over which requests a webhook is asked about, and what happens when it does not answer. */
export interface ConfiguredWebhook {
  readonly name: string
  readonly rules: readonly ConfiguredRule[]
  readonly failurePolicy: string
  readonly matchPolicy: string
  readonly timeoutSeconds: number
  /** As they are on the wire; the API server writes `{}` for one that was left out. */
  readonly namespaceSelector: unknown
  readonly objectSelector: unknown
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[]
  /** namespace/name:port/path of the Service, or the URL. */
  readonly target: string
  readonly hasCaBundle: boolean
}

export interface ConfiguredRule {
  readonly apiGroups: readonly string[]
  readonly apiVersions: readonly string[]
  readonly operations: readonly string[]
  readonly resources: readonly string[]
  readonly scope: string
}

/** Reads `webhooks` of a webhook configuration, with the API server's defaults for what is not there. */
export function readWebhooks(value: unknown): readonly ConfiguredWebhook[] {
  return Array.isArray(value) ? value.filter(isObject).map(readWebhook) : []
}

function readWebhook(value: Readonly<Record<string, unknown>>): ConfiguredWebhook {
  const client = isObject(value['clientConfig']) ? value['clientConfig'] : {}
  const conditions = listAt(value, 'matchConditions').filter(isObject)
  return {
    name: textAt(value, 'name', ''),
    rules: listAt(value, 'rules').filter(isObject).map(readRule),
    failurePolicy: textAt(value, 'failurePolicy', 'Fail'),
    matchPolicy: textAt(value, 'matchPolicy', 'Equivalent'),
    timeoutSeconds: typeof value['timeoutSeconds'] === 'number' ? value['timeoutSeconds'] : 10,
    namespaceSelector: value['namespaceSelector'] ?? {},
    objectSelector: value['objectSelector'] ?? {},
    matchConditions: conditions.map((each) => ({
      name: textAt(each, 'name', ''),
      expression: textAt(each, 'expression', ''),
    })),
    target: targetOf(client),
    hasCaBundle: textAt(client, 'caBundle', '') !== '',
  }
}

function readRule(value: Readonly<Record<string, unknown>>): ConfiguredRule {
  return {
    apiGroups: textsAt(value, 'apiGroups'),
    apiVersions: textsAt(value, 'apiVersions'),
    operations: textsAt(value, 'operations'),
    resources: textsAt(value, 'resources'),
    scope: textAt(value, 'scope', '*'),
  }
}

function targetOf(client: Readonly<Record<string, unknown>>): string {
  const service = isObject(client['service']) ? client['service'] : null
  if (service === null) return textAt(client, 'url', '')
  const port = typeof service['port'] === 'number' ? service['port'] : 443
  return `${textAt(service, 'namespace', '')}/${textAt(service, 'name', '')}:${port}${textAt(service, 'path', '')}`
}

function listAt(value: Readonly<Record<string, unknown>>, field: string): readonly unknown[] {
  const found = value[field]
  return Array.isArray(found) ? found : []
}

function textsAt(value: Readonly<Record<string, unknown>>, field: string): readonly string[] {
  return listAt(value, field).filter((item) => typeof item === 'string')
}

function textAt(value: Readonly<Record<string, unknown>>, field: string, otherwise: string): string {
  const found = value[field]
  return typeof found === 'string' ? found : otherwise
}
