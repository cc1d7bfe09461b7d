import type { CelValue } from '@bufbuild/cel'
import { create } from '@bufbuild/protobuf'
import { isReflectMessage, reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect'
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt'
import { Fault } from './meter.ts'
import { tagOfMessage } from './value.ts'

/** A timestamp or a duration. */
export interface TimeValue {
  readonly desc: { readonly typeName: string }
  readonly message: { readonly seconds: bigint; readonly nanos: number }
}

export function isTime(value: object): value is TimeValue & ReflectMessage {
  return isReflectMessage(value) && tagOfMessage(value.desc.typeName) !== 'dyn'
}

export function nanosOf({ message }: TimeValue): bigint {
  return message.seconds * 1_000_000_000n + BigInt(message.nanos)
}

/** 0001-01-01 and the last second of 9999, as CEL bounds them. */
const firstSecond = -62_135_596_800n
const lastSecond = 253_402_300_799n

/** Throws Fault beyond the years 1 to 9999. */
export function timestampOf(seconds: bigint, nanos = 0): CelValue {
  if (seconds < firstSecond || seconds > lastSecond) throw new Fault('a number or time is out of range')
  return reflect(TimestampSchema, create(TimestampSchema, { seconds, nanos }))
}

export function durationOf(nanos: bigint): CelValue {
  const seconds = nanos / 1_000_000_000n
  return reflect(DurationSchema, create(DurationSchema, { seconds, nanos: Number(nanos % 1_000_000_000n) }))
}

const fixedZone = /^([+-]?)(\d\d):(\d\d)$/

/**
 * The wall clock of a zone as the UTC fields of a Date, so that the zone of this process, and its summer time, has no
 * part in it. null: UTC. Throws Fault for a zone that is not known.
 */
export function wallClock({ message }: TimeValue, zone: string | null): Date {
  const instant = new Date(Number(message.seconds) * 1_000 + Math.floor(message.nanos / 1_000_000))
  if (zone === null || zone === 'UTC' || zone === '') return instant
  const fixed = fixedZone.exec(zone)
  if (fixed === null) return inNamedZone(instant, zone)
  const minutes = Number(fixed[2]) * 60 + Number(fixed[3])
  return new Date(instant.getTime() + (fixed[1] === '-' ? -1 : 1) * minutes * 60_000)
}

const formats = new Map<string, Intl.DateTimeFormat>()

function inNamedZone(instant: Date, zone: string): Date {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, type === 'era' ? Number(value.startsWith('B')) : Number(value)]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const wall = new Date(0)
  const year = part('era') === 1 ? 1 - part('year') : part('year')
  wall.setUTCFullYear(year, part('month') - 1, part('day'))
  wall.setUTCHours(part('hour'), part('minute'), part('second'), instant.getUTCMilliseconds())
  return wall
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const numeric = { era: 'short', year: 'numeric', month: 'numeric', day: 'numeric' } as const
  const clock = { hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const
  const format = intl(zone, { ...numeric, ...clock, timeZone: zone })
  if (formats.size < 64) formats.set(zone, format)
  return format
}

function intl(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  if (zone.length > 64) throw new Fault('no such time zone is known')
  try {
    return new Intl.DateTimeFormat('en-US', options)
  } catch {
    throw new Fault('no such time zone is known')
  }
}
