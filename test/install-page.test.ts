import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { kinds } from '../src/api/v1alpha1/crds.ts'
import { group } from '../src/api/v1alpha1/objects.ts'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/install.md'), 'utf8')

const metricsIn = (text: string, quote: string): ReadonlySet<string> =>
  new Set([...text.matchAll(new RegExp(`${quote}(lapse_[a-z_]+)${quote}`, 'g'))].map(([, name = '']) => name))

describe('docs/install.md', () => {
  it('removes the CRD of every kind', () => {
    const [, removed = ''] = /^kubectl delete crd (.*)$/m.exec(page) ?? []
    expect(removed.split(' ')).to.have.members(kinds.map(({ plural }) => `${plural}.${group}`))
  })

  it('says what the operator reads of every kind, as the chart has it', () => {
    const names = kinds.map(({ plural }) => plural)
    const [, told = ''] = /^\| get, list, watch (.*) \| its own kinds \|$/m.exec(page) ?? []
    expect([...told.matchAll(/`(\w+)`/g)].map(([, name]) => name)).to.have.members(names)
  })

  it('lets the viewer read every kind', () => {
    const roles = readFileSync(join(root, 'charts/lapse/templates/user-roles.yaml'), 'utf8')
    const [, listed = ''] = /name: lapse-viewer[^]*resources: \[(.*)\]/.exec(roles) ?? []
    expect(listed.split(', ')).to.have.members(kinds.map(({ plural }) => plural))
  })

  it('says who gets each role that the chart offers', () => {
    for (const name of ['lapse-requester', 'lapse-approver', 'lapse-suspender', 'lapse-viewer'])
      expect(page).to.match(new RegExp(`^\\| \`${name}\` \\| `, 'm'))
  })

  it('names every metric of ours, and none that there is not', () => {
    const sources = globSync('src/**/*.ts', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'))
    expect([...metricsIn(page, '`')]).to.have.members([...metricsIn(sources.join('\n'), "'")])
  })
})
