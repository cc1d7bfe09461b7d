import type { RequestAttributes } from '../../src/core/rbac/authorize.ts'

/** To get the Secrets of the namespace payments. */
export const getSecrets: RequestAttributes = {
  verb: 'get',
  namespace: 'payments',
  apiGroup: '',
  resource: 'secrets',
  subresource: '',
  name: '',
  path: '',
}
