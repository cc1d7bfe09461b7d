import { expect } from 'chai'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lapse } from './cli/fake-io.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const readme = read('README.md')
const blocks = (language: string): readonly string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text)

/** An example without the comment on top. */
const example = (name: string): string => read(`examples/payments/${name}`).replace(/^#.*\n/, '')

describe('README', () => {
  it('shows a policy and a grant as they are in examples', () => {
    expect(blocks('yaml')).to.deep.equal([example('policy-1.4.0.yaml'), example('grant.yaml')])
  })

  it('shows a refusal as lapse check prints it', async () => {
    const shown = blocks('console').find((block) => block.includes('lapse check'))
    const command = /lapse check (.*)\n/.exec(shown ?? '')?.[1] ?? ''
    const { code, stdout } = await lapse(['check', ...command.split(' ')], { cwd: join(root, 'examples/payments') })
    expect(shown?.slice(shown.indexOf('\n', shown.indexOf('lapse check')) + 1)).to.equal(stdout)
    expect(code).to.equal(1)
  })

  it('names only files that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => path)
    const named = [...readme.matchAll(/(?:test|bench|charts|examples)\/[\w./-]+\w/g)].map(([path]) => path)
    expect(links.length).to.be.greaterThan(5)
    expect([...links, ...named].filter((path) => !existsSync(join(root, path)))).to.deep.equal([])
  })
})
