import { expect } from 'chai'
import type { PodSpec, Volume } from '../../../src/core/workload/pod-spec.ts'
import { tokenReachable } from '../../../src/core/workload/token.ts'

const pod = (fields: Partial<PodSpec>): PodSpec => ({ containers: [{ name: 'app' }], ...fields })
const unmounted = (...volumes: Volume[]): PodSpec => pod({ automountServiceAccountToken: false, volumes })

describe('tokenReachable', () => {
  describe('by automount', () => {
    const path = 'automountServiceAccountToken'
    const unset = 'automountServiceAccountToken is not set, so the token is mounted'
    const byPod = 'the pod sets automountServiceAccountToken: true'
    const byAccount = 'its ServiceAccount sets automountServiceAccountToken: true'
    for (const [sentence, ofPod, ofAccount, why] of [
      ['mounts when nobody says anything', undefined, null, unset],
      ['reads null in the pod as absent', null, null, unset],
      ['mounts when the ServiceAccount says so', undefined, true, byAccount],
      ['mounts when the pod says so against its ServiceAccount', true, false, byPod],
      ['does not mount when the ServiceAccount opts out', undefined, false, null],
      ['does not mount when the pod opts out against its ServiceAccount', false, true, null],
    ] as const) {
      it(sentence, () => {
        const spec = pod(ofPod === undefined ? {} : { automountServiceAccountToken: ofPod })
        expect(tokenReachable(spec, ofAccount)).to.deep.equal(
          why === null ? { reachable: false } : { reachable: true, why, path },
        )
      })
    }
  })

  it('finds a projected token although automount is off', () => {
    const spec = unmounted(
      { emptyDir: {} },
      { projected: { sources: [{}, { serviceAccountToken: { audience: 'vault' } }] } },
    )
    expect(tokenReachable(spec, false)).to.deep.equal({
      reachable: true,
      why: 'a projected volume holds a token',
      path: 'volumes[1].projected.sources[1].serviceAccountToken',
    })
  })

  it('finds nothing in a projected volume without a token', () => {
    const spec = unmounted({ projected: { sources: [{ serviceAccountToken: null }] } }, { projected: {} })
    expect(tokenReachable(spec, null)).to.deep.equal({ reachable: false })
  })

  describe('by hostPath', () => {
    for (const hostPath of [
      '/',
      '/var',
      '/var/',
      '/var/lib',
      '/var/lib/kubelet',
      '/var/lib/kubelet/pods',
      '/var/lib/kubelet/pods/0b3c/volumes',
      '//var/./lib',
      '/var/log/../lib',
      '/..',
      String.raw`C:\var\lib\kubelet`,
      '',
    ]) {
      it(`finds the tokens of other pods by ${hostPath === '' ? 'an empty path' : hostPath}`, () => {
        expect(tokenReachable(unmounted({ hostPath: { path: hostPath } }), null)).to.deep.equal({
          reachable: true,
          why: 'its hostPath reaches the tokens of other pods under /var/lib/kubelet/pods',
          path: 'volumes[0].hostPath',
        })
      })
    }

    for (const hostPath of [
      '/var/log',
      '/var/lib/kubelet/plugins',
      '/var/lib/kubelet-other',
      '/varnish',
      '/etc',
      '/lib/kubelet/pods',
    ]) {
      it(`finds none by ${hostPath}`, () => {
        expect(tokenReachable(unmounted({ hostPath: { path: hostPath } }), null)).to.deep.equal({ reachable: false })
      })
    }
  })

  it('cannot tell a legacy token from any other Secret, and takes neither for one', () => {
    expect(tokenReachable(unmounted({ secret: { secretName: 'token' } }), null)).to.deep.equal({ reachable: false })
  })
})
