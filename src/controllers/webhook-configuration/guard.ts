import type { ObjectMeta } from '../../api/v1alpha1/objects.ts'
import { isObject } from '../../api/validate.ts'
import type { Cache, EventSink, KubeObject } from '../../cluster/ports.ts'
import type { Log } from '../../runtime/log.ts'
import { readWebhooks, type ConfiguredWebhook } from './configured-webhook.ts'
import { weaknesses } from './weaknesses.ts'

/** The webhooks that must be in each configuration; null: whatever is there when the process first sees it. */
export type ExpectedWebhooks = Readonly<Record<ConfigurationKind, readonly ConfiguredWebhook[] | null>>

export const configurationKinds = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'] as const
export type ConfigurationKind = (typeof configurationKinds)[number]

/** Reads a JSON object with the `webhooks` of each kind, as the chart has them; null when it has another form. */
export function parseExpectedWebhooks(text: string): ExpectedWebhooks | null {
  const value = parseJson(text)
  if (!isObject(value)) return null
  const { ValidatingWebhookConfiguration: validating, MutatingWebhookConfiguration: mutating } = value
  if (!Array.isArray(validating) || !Array.isArray(mutating)) return null
  return {
    ValidatingWebhookConfiguration: readWebhooks(validating),
    MutatingWebhookConfiguration: readWebhooks(mutating),
  }
}

/** undefined: the text is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The name of both configurations. */
export const configurationName = 'lapse'

export interface WebhookGuardOptions {
  /** Each of the one object of that name. */
  readonly caches: Readonly<Record<ConfigurationKind, Cache>>
  readonly expected: ExpectedWebhooks
  readonly events: EventSink
  readonly log: Log
  /** Whether this process is the one that reports. */
  readonly leads: () => boolean
}

/**
 * Watches over the webhook configurations: the API server asks no webhook about writes to them, so all that can be done is to
 * see it and to say so.
 */
export class WebhookGuard {
  readonly #options: WebhookGuardOptions
  readonly #expected = new Map<ConfigurationKind, readonly ConfiguredWebhook[]>()
  /** What was said last of each; empty: that it is as it must be. */
  readonly #told = new Map<ConfigurationKind, string>()

  constructor(options: WebhookGuardOptions) {
    this.#options = options
    for (const kind of configurationKinds) {
      const expected = options.expected[kind]
      if (expected !== null) this.#expected.set(kind, expected)
      options.caches[kind].subscribe(() => this.#look(kind))
    }
  }

  /** False as well while they cannot be seen. */
  isIntact(): boolean {
    return configurationKinds.every((kind) => this.#stateOf(kind) === '')
  }

  /** Says what there is to say, for a process that has come to lead, or has seen that there is nothing. */
  report(): void {
    for (const kind of configurationKinds) this.#look(kind)
  }

  #look(kind: ConfigurationKind): void {
    const state = this.#stateOf(kind)
    if (state === null || !this.#options.leads() || state === (this.#told.get(kind) ?? '')) return
    this.#told.set(kind, state)
    this.#tell(kind, state)
  }

  #tell(kind: ConfigurationKind, state: string): void {
    const { events, log, caches } = this.#options
    const name = configurationName
    const metadata: ObjectMeta = caches[kind].get({ namespace: '', name })?.metadata ?? {
      name,
      uid: '',
      resourceVersion: '',
    }
    const regarding = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata }
    if (state === '') {
      log.info('webhook configuration restored', { kind, name })
      const note = 'the webhooks are asked again about everything that they must be asked about'
      events.record({ regarding, type: 'Normal', reason: 'WebhookRestored', action: 'Compare', note })
    } else {
      log.error('webhook configuration weakened', { kind, name, state })
      events.record({ regarding, type: 'Warning', reason: 'WebhookWeakened', action: 'Compare', note: state })
    }
  }

  /** What is wrong, in one line; empty: nothing; null: it has not been seen yet. */
  #stateOf(kind: ConfigurationKind): string | null {
    const cache = this.#options.caches[kind]
    const found: KubeObject | null = cache.get({ namespace: '', name: configurationName })
    if (found === null) return cache.hasSynced ? `there is no ${kind} ${configurationName}` : null
    const webhooks = readWebhooks(found['webhooks'])
    const expected = this.#expected.get(kind) ?? webhooks
    this.#expected.set(kind, expected)
    return weaknesses(expected, webhooks).join('; ')
  }
}
