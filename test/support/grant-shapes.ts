import * as fc from 'fast-check'

import type { Right } from './asked-grant.ts'
import type { GrantCommand } from './grant-tampering.ts'
import { longGrant, shortGrant } from './grant-world.ts'
import { rules } from './scene.ts'

/** What can be asked for, and what comes of it. */
interface Shape {
  /** Of the command. */
  readonly name: string
  readonly asks: Readonly<Record<string, unknown>>
  readonly rights: readonly Right[]
  /** Default: it may be issued. */
  readonly isProper?: false
  readonly isWide?: true
  readonly hasTask?: true
  readonly isEmergency?: true
  /** Milliseconds that it lasts beside those that any grant does; it has an identity of its own. */
  readonly tokenLasts?: number
}

const narrower = [{ ...rules.rollout[0], verbs: ['get'] }]
const wider = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]
const rollout: readonly Right[] = ['patch deployments', 'get deployments']
const everywhere: readonly Right[] = [...rollout, 'patch deployments elsewhere', 'get deployments elsewhere']
/** More than the shortest token there is. */
const enough = 660_000

const plain = { name: 'ask', asks: {}, rights: rollout } as const
const tooMuch = { name: 'ask for too much', asks: {}, rights: rollout, isProper: false } as const
const withToken = { name: 'ask with a credential', rights: [...rollout, 'have a token'] } as const

const proper: Readonly<Record<string, Shape>> = {
  'a set': plain,
  'two sets': { ...plain, asks: { permissions: ['rollout', 'read-pods'] }, rights: [...rollout, 'get pods'] },
  'narrower rules': { ...plain, asks: { rules: narrower }, rights: ['get deployments'] },
  'a set and a waiver': { ...plain, asks: { waive: ['host-path'] } },
  'a set, until a task is over': {
    ...plain,
    name: 'ask until',
    asks: { until: { kind: 'Job', name: 'task' } },
    hasTask: true,
  },
  'a set, in an emergency': {
    ...plain,
    name: 'ask in an emergency',
    asks: { breakGlass: { incident: 'INC-1' } },
    isEmergency: true,
  },
  'a set, for the whole cluster': { ...plain, name: 'ask for the whole cluster', rights: everywhere, isWide: true },
  'a set, by a token': { ...withToken, asks: {}, tokenLasts: enough },
  'narrower rules, by a token': {
    ...withToken,
    asks: { rules: narrower },
    rights: ['get deployments', 'have a token'],
    tokenLasts: enough,
  },
}
const improper: Readonly<Record<string, Shape>> = {
  'wider rules': { ...tooMuch, asks: { rules: wider }, rights: ['get secrets'] },
  'a set that there is not': { ...tooMuch, asks: { permissions: ['admin'] } },
  'a waiver that there is not': { ...tooMuch, asks: { waive: ['privileged'] } },
  'two hours': { ...tooMuch, asks: { duration: '2h' } },
  'a set, for a stranger': { ...tooMuch, asks: { requestedBy: 'stranger' } },
  'narrower rules, for the whole cluster': { ...tooMuch, asks: { rules: narrower }, rights: everywhere, isWide: true },
  'a set, by a token that lasts too short': { ...tooMuch, rights: withToken.rights, tokenLasts: 0 },
}
const shapes: Readonly<Record<string, Shape>> = { ...proper, ...improper }

export const ask = fc
  .record({
    subject: fc.constantFrom('a', 'a', 'a', 'b', 'b', 'intruder'),
    shape: fc.constantFrom(...Object.keys(proper), ...Object.keys(proper), ...Object.keys(improper)),
    millis: fc.constantFrom(shortGrant / 4, shortGrant / 2, shortGrant, longGrant, longGrant),
    isAbsolute: fc.boolean(),
  })
  .map(({ subject, shape, millis, isAbsolute }): GrantCommand => {
    const { name, asks, rights, isProper = true, tokenLasts, ...traits } = shapes[shape]!
    const { isWide = false, hasTask = false, isEmergency = false } = traits
    const lasts = millis + (tokenLasts ?? 0)
    return {
      name,
      details: `${shape} for ${subject}, ${isAbsolute ? 'until' : 'for'} ${lasts} ms`,
      async act(world) {
        const grant = world.nextName()
        const at = Math.ceil((Date.now() + lasts) / 1_000) * 1_000
        const window = isAbsolute ? { notAfter: new Date(at).toISOString() } : { duration: `${lasts / 1_000}s` }
        const credential = tokenLasts === undefined ? {} : { credential: { secretName: grant } }
        const spec = {
          ...world.people.askedBy('asker', subject),
          ...('duration' in asks ? {} : window),
          ...credential,
          ...asks,
        }
        const asked = Date.now()
        const uid = await world.people.ask(grant, isWide, spec)
        const end = isAbsolute ? { at } : { after: lasts }
        const holder = tokenLasts === undefined ? subject : `lapse-${uid}`
        const who = { uid, name: grant, subject, holder, isProper: isProper && subject !== 'intruder' }
        world.model.asked({ ...who, rights, isWide, hasTask, isEmergency, end }, asked)
      },
    }
  })
