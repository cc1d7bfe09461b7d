import { isDeepStrictEqual } from 'node:util'
import { parseNHISuspension, type ParsedSuspension } from '../api/v1alpha1/parse-nhi-suspension.ts'
import { highFinding, type Finding } from '../core/finding.ts'
import { describeGrant } from '../core/grant/cluster-grant.ts'
import { describeIdentity, sameIdentity, usernameOf, type Identity } from '../core/identity.ts'
import { superUserGroup } from '../core/rbac/subject.ts'
import type { LiveGrant, World } from '../core/world.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed, allowedWith, refused, warningOf, type Answer } from './answer.ts'
import { describeObject, refuseBy, refuseInvalid, type Review } from './review.ts'

/**
 * The kill switch of an identity. Who may set and lift one is RBAC's: nothing stands in front of it but that it is true, and that
 * nobody lifts his own.
 */
export const reviewSuspension: Review = (request, snapshot) => {
  switch (request.operation) {
    case 'CREATE':
      return reviewNewSuspension(request, snapshot)
    case 'UPDATE':
      return reviewOwn(request) ?? reviewChange(request)
    case 'DELETE':
      return reviewOwn(request) ?? allowed
    case 'CONNECT':
      return refused(403, `denied by lapse: nothing connects to ${describeObject(request)}`)
  }
}

const reviewNewSuspension: Review = (request, { world, operatorUser }) => {
  const parsed = parseNHISuspension(request.object)
  if (!parsed.ok) return refuseInvalid(request, parsed.problems)
  const forged = reviewStamp(request, parsed.value)
  if (forged.length > 0) return refuseBy(request, 'names another one who set it', forged)
  const { subject } = parsed.value
  const ending = liveGrantsOf(subject, world).map(
    (grant) => `ends grant ${describeGrant(grant)} of ${describeIdentity(subject)} under ${grant.policy}`,
  )
  const ofOurs = usernameOf(subject) === operatorUser ? [ourOwn] : []
  return allowedWith({ warnings: [...ofOurs, ...ending.sort()].map(warningOf) })
}

const ourOwn =
  'the operator itself has no grants, and what RBAC gives it stays: this stops nothing; to stop it scale lapse-controller to 0'

function liveGrantsOf(subject: Identity, world: World): readonly LiveGrant[] {
  const username = usernameOf(subject)
  if (username !== null) return world.liveGrantsOf(username)
  return world
    .policies()
    .flatMap(({ name }) => world.liveGrants(name))
    .filter((grant) => sameIdentity(grant.subject, subject))
}

/** The mutating webhook stamps it; another one may have written over it. */
function reviewStamp({ user }: AdmissionRequest, { setBy }: ParsedSuspension): readonly Finding[] {
  if (setBy === user.username) return []
  const message = `must be ${user.username}, who sets it, ${setBy === null ? 'but is not there' : `not ${setBy}`}`
  return [highFinding('suspension-forged', 'spec.setBy', message, 'leave it to the mutating webhook of lapse')]
}

/** null: it is not the requester's own. Any change is meant: an owner that is not there would have it collected. */
function reviewOwn(request: AdmissionRequest): Answer | null {
  const parsed = parseNHISuspension(request.oldObject)
  if (!parsed.ok || !isMeant(request.user, parsed.value.subject)) return null
  const message = `names ${describeIdentity(parsed.value.subject)}, and ${request.user.username} asks`
  const remedy = 'ask somebody whom it does not name'
  return refuseBy(request, 'is not for its own subject', [
    highFinding('suspension-own', 'spec.subject', message, remedy),
  ])
}

/** Cluster admins may lift what suspends everybody. */
function isMeant({ username, groups }: AdmissionRequest['user'], subject: Identity): boolean {
  if (subject.kind !== 'Group') return usernameOf(subject) === username
  return groups.includes(subject.name) && !groups.includes(superUserGroup)
}

function reviewChange(request: AdmissionRequest): Answer {
  if (isDeepStrictEqual(request.oldObject?.['spec'], request.object?.['spec'])) return allowed
  const remedy = 'create another one, then delete this one'
  return refuseBy(request, 'was changed', [highFinding('suspension-immutable', 'spec', 'is immutable', remedy)])
}
