import type { ObjectMeta } from '../api/v1alpha1/objects.ts'
import type { Millis } from '../core/time.ts'
import type { ResourceType } from './resources.ts'

/** Any object as the API server sent it: raw JSON, unknown fields included. managedFields are stripped in caches. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

/** An object of which nothing but its metadata was asked for: that a field is not there says nothing about it. */
export type MetadataOnly = Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>

/** namespace is empty for cluster-scoped objects. */
export interface ObjectKey {
  readonly namespace: string
  readonly name: string
}

/** What the API server is asked about somebody else's access. */
export interface AccessQuestion {
  readonly username: string
  readonly groups: readonly string[]
  /** Empty: the cluster as a whole. */
  readonly namespace: string
  readonly verb: string
  readonly apiGroup: string
  readonly resource: string
  readonly subresource: string
  readonly name: string
}

export interface CallLimit {
  /** For the call as a whole, retries included; then it throws Unreachable. Default 10 s. */
  readonly timeout?: Millis
}

/** Writes and uncached reads. Every method throws one of the errors of errors.ts; none retries a write. */
export interface ClusterClient {
  /** null: not found. Read from the API server, never from a cache. */
  get(type: ResourceType, key: ObjectKey, limit?: CallLimit): Promise<KubeObject | null>
  /** A consistent list (a quorum read), paged inside. namespace empty: all namespaces. */
  list(
    type: ResourceType,
    options?: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
  ): Promise<readonly KubeObject[]>
  /** Throws Conflict with reason AlreadyExists when the name is taken. */
  create(type: ResourceType, object: object, limit?: CallLimit): Promise<KubeObject>
  /** Replaces the status of exactly the version that is given (its resourceVersion); Conflict when it is not the newest. */
  replaceStatus(type: ResourceType, object: KubeObject, status: object, limit?: CallLimit): Promise<KubeObject>
  /** Replaces exactly the version that is given (its resourceVersion); Conflict when it is not the newest. */
  replace(type: ResourceType, object: KubeObject, limit?: CallLimit): Promise<KubeObject>
  /** A POST to a subresource of an object, such as `token`, `eviction`. Resolves with the answer. */
  createSubresource(
    type: ResourceType,
    key: ObjectKey,
    subresource: string,
    object: object,
    limit?: CallLimit,
  ): Promise<KubeObject>
  /**
   * Not found is success. With uid, only the object of that UID is deleted: another one of the name is a Conflict. `held`: it is there
   * until its finalizers are gone.
   */
  delete(
    type: ResourceType,
    key: ObjectKey,
    options?: CallLimit & { readonly uid?: string },
  ): Promise<'deleted' | 'held' | 'absent'>
  /** SubjectAccessReview. */
  isAllowed(question: AccessQuestion): Promise<boolean>
}

export interface Change<T> {
  readonly key: ObjectKey
  /** null: it is new. */
  readonly before: T | null
  /** null: it is gone. */
  readonly after: T | null
}

/** A local copy of every object of one type, kept up to date by a watch. */
export interface Cache<T = KubeObject> {
  get(key: ObjectKey): T | null
  list(): readonly T[]
  /** False until the first complete list has been taken in. */
  readonly hasSynced: boolean
  /** Called for each change in order, after the cache shows it, and once for each object that is there already. */
  subscribe(handler: (change: Change<T>) => void): void
}

/** One object, named as people do. */
export interface ObjectReference extends ObjectKey {
  readonly apiVersion: string
  readonly kind: string
}

/** What is known of one object. */
export type Sight =
  /** It has not been read yet. */
  | { readonly kind: 'Unread' }
  /** It may not be read, or there is nothing of its kind; what was known of it before is not said any more. */
  | { readonly kind: 'Unreadable'; readonly message: string }
  | { readonly kind: 'Absent' }
  | { readonly kind: 'Present'; readonly object: KubeObject }

export interface WatchedObject {
  readonly sight: Sight
  /** Resolves when nothing runs any more. For good. */
  stop(): Promise<void>
}

export interface ObjectWatcher {
  /** `changed` is called whenever there may be another sight of it; not before this returns. */
  watch(reference: ObjectReference, changed: () => void): WatchedObject
}

/** Something that happened to an object, for whoever looks at it with kubectl. */
export interface EventNote {
  readonly regarding: { readonly apiVersion: string; readonly kind: string; readonly metadata: ObjectMeta }
  /** Warning: somebody may have to act. */
  readonly type: 'Normal' | 'Warning'
  /** Why, in UpperCamelCase; that of the condition where there is one. At most 128 characters, as is `action`. */
  readonly reason: string
  /** What was done or tried, in UpperCamelCase. */
  readonly action: string
  /** For people. Cut after 1,024 bytes. */
  readonly note: string
}

export interface EventSink {
  /** Returns at once and never throws; an event that cannot be written is lost and counted. */
  record(event: EventNote): void
}

/** What a scan of the whole cluster needs beside that. */
export interface ScanClient extends Pick<ClusterClient, 'list' | 'create' | 'replace' | 'delete'> {
  /** All objects as of one instant, a page at a time, so that not all of them are in memory at once. Throws Gone when the API server forgets the list half-way. */
  pages(type: ResourceType): AsyncIterable<readonly KubeObject[]>
}
