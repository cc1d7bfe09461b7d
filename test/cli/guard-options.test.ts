import { expect } from 'chai'
import { lapse } from './fake-io.ts'

describe('the options of what guards the gate', () => {
  for (const text of ['Rollout', 'argoproj.io/Rollout', 'argoproj.io/Rollout=spec[0]', 'apps/Deployment=spec.template'])
    it(`lapse webhook takes no --pod-templates ${text}`, async () => {
      const { code, stderr } = await lapse(['webhook', '--operator-user', 'x', '--pod-templates', text])
      expect(code).to.equal(2)
      expect(stderr).to.contain(`--pod-templates: ${JSON.stringify(text)} is not of the form GROUP/KIND=PATH`)
    })

  for (const text of ['{', '[]', '{"ValidatingWebhookConfiguration": []}'])
    it(`lapse controller takes no --expected-webhooks ${text}`, async () => {
      const { code, stderr } = await lapse(['controller', '--expected-webhooks', text])
      expect(code).to.equal(2)
      expect(stderr).to.contain('--expected-webhooks must be a JSON object')
    })
})
