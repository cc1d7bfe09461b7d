import { expect } from 'chai'
import { Forbidden, NotFound } from '../../src/cluster/errors.ts'
import { KindFinder } from '../../src/cluster/kind-finder.ts'
import { resources } from '../../src/cluster/resources.ts'

const request = { method: 'GET', path: '/apis/crew.example.com/v1' }

describe('KindFinder', () => {
  let asked: string[]
  let answer: () => unknown
  let finder: KindFinder
  beforeEach(() => {
    asked = []
    answer = () => ({
      resources: [
        { name: 'crews/status', kind: 'Crew', namespaced: true },
        { name: 'crews', kind: 'Crew', namespaced: true },
        { name: 'fleets', kind: 'Fleet', namespaced: false },
      ],
    })
    const call = async (_: string, path: string): Promise<unknown> => {
      asked.push(path)
      return answer()
    }
    finder = new KindFinder({ call })
  })

  it('finds the resource of a kind, not a part of it', async () => {
    const found = { group: 'crew.example.com', version: 'v1', plural: 'crews', kind: 'Crew', namespaced: true }
    expect(await finder.find('crew.example.com/v1', 'Crew')).to.deep.equal(found)
  })

  it('says of a resource that it is in no namespace', async () => {
    expect(await finder.find('crew.example.com/v1', 'Fleet')).to.include({ plural: 'fleets', namespaced: false })
  })

  it('asks once for each version, whatever the kind, and not for Jobs and Pods', async () => {
    await Promise.all([finder.find('crew.example.com/v1', 'Crew'), finder.find('crew.example.com/v1', 'Fleet')])
    await finder.find('crew.example.com/v1', 'Crew')
    answer = () => ({ resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true }] })
    expect(await finder.find('v1', 'ConfigMap')).to.include({ group: '', version: 'v1', plural: 'configmaps' })
    expect(await finder.find('batch/v1', 'Job')).to.equal(resources.jobs)
    expect(await finder.find('v1', 'Pod')).to.equal(resources.pods)
    expect(asked).to.deep.equal(['/apis/crew.example.com/v1', '/api/v1'])
  })

  it('asks again for a kind that was not there, and for a version that was not served', async () => {
    const known = answer
    answer = () => ({ resources: [] })
    expect(await finder.find('crew.example.com/v1', 'Crew')).to.equal(null)
    answer = () => {
      throw new NotFound(request, 'the server could not find the requested resource', 'resource')
    }
    expect(await finder.find('crew.example.com/v1', 'Crew')).to.equal(null)
    answer = known
    expect(await finder.find('crew.example.com/v1', 'Crew')).to.include({ plural: 'crews' })
  })

  it('passes on any other failure, and asks again after it', async () => {
    const known = answer
    answer = () => {
      throw new Forbidden(request, 'not you')
    }
    const error = await finder.find('crew.example.com/v1', 'Crew').catch((thrown: unknown) => thrown)
    expect(error).to.be.instanceOf(Forbidden)
    answer = known
    expect(await finder.find('crew.example.com/v1', 'Crew')).to.include({ plural: 'crews' })
  })

  it('makes no path of what is no version', async () => {
    for (const apiVersion of ['../../api/v1', 'a/b/v1', '', 'crew.example.com/', '..', 'v1?watch=true', 'a/../v1'])
      expect(await finder.find(apiVersion, 'Crew'), apiVersion).to.equal(null)
    expect(asked).to.deep.equal([])
  })
})
