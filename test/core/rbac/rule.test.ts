import { expect } from 'chai'
import { describeRule } from '../../../src/core/rbac/rule.ts'
import { rule } from './rbac-of.ts'

describe('describeRule', () => {
  const table = [
    { sentence: 'names verbs and resources', of: rule('get,list secrets'), text: 'get,list secrets' },
    { sentence: 'names the names', of: rule('get secrets', 'a', 'b'), text: 'get secrets (resourceNames: a,b)' },
    { sentence: 'adds a group that is not core', of: rule('patch deployments.apps'), text: 'patch deployments.apps' },
    { sentence: 'puts the group before the subresource', of: rule('get pods.x.io/log'), text: 'get pods.x.io/log' },
    { sentence: 'shows a star for everything', of: rule('* *.*'), text: '* *.*' },
    { sentence: 'names URLs', of: rule('get /metrics,/healthz'), text: 'get /metrics,/healthz' },
    {
      sentence: 'lists several groups apart',
      of: rule('get pods,jobs.batch', 'a'),
      text: 'get pods,jobs (apiGroups: core,batch; resourceNames: a)',
    },
  ]
  for (const { sentence, of, text } of table) {
    it(sentence, () => expect(describeRule(of)).to.equal(text))
  }
})
