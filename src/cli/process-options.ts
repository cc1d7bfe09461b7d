import type { OptionTable } from '../runtime/config.ts'
import { logLevels } from '../runtime/log.ts'

/** What every process of an installation takes. */
export const processOptions = {
  httpAddress: { kind: 'string', default: ':8080', description: 'where /healthz, /readyz and /metrics are served' },
  kubeconfig: {
    kind: 'string',
    default: null,
    description: 'a kubeconfig file; without it KUBECONFIG, then the in-cluster one',
  },
  logLevel: {
    kind: 'string',
    choices: logLevels,
    default: 'info',
    description: 'the least important lines that are logged',
  },
} as const satisfies OptionTable
