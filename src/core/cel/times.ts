import type { CelValue } from '@bufbuild/cel'
import { overload, text, type Overload } from './overload.ts'
import { nanosOf, wallClock, type TimeValue } from './time-value.ts'

const day = 86_400_000

/** Names as CEL has them; months and days of the month count from 0, getDate from 1. */
const parts: Readonly<Record<string, (wall: Date) => number>> = {
  getFullYear: (wall) => wall.getUTCFullYear(),
  getMonth: (wall) => wall.getUTCMonth(),
  getDate: (wall) => wall.getUTCDate(),
  getDayOfMonth: (wall) => wall.getUTCDate() - 1,
  getDayOfWeek: (wall) => wall.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (wall) => wall.getUTCHours(),
  getMinutes: (wall) => wall.getUTCMinutes(),
  getSeconds: (wall) => wall.getUTCSeconds(),
  getMilliseconds: (wall) => wall.getUTCMilliseconds(),
}

function dayOfYear(wall: Date): number {
  const newYear = new Date(0)
  newYear.setUTCFullYear(wall.getUTCFullYear(), 0, 1)
  return Math.floor((wall.getTime() - newYear.getTime()) / day)
}

/** What looking up a named zone costs, in units. */
const zonePrice = 50

/** The engine's own count in the time zone of this process. */
const ofTimestamps: readonly Overload[] = Object.entries(parts).flatMap(([name, read]) => [
  overload(`.${name}`, ['timestamp'], 'int', ([time]) => BigInt(read(wallClock(timeOf(time), null)))),
  overload(`.${name}`, ['timestamp', 'string'], 'int', ([time, zone], { meter }) => {
    meter.charge(zonePrice)
    return BigInt(read(wallClock(timeOf(time), text(zone))))
  }),
])

/** In seconds, as Kubernetes writes them: `-1.5s`. */
function formatDuration(time: TimeValue): string {
  const seconds = Number(nanosOf(time)) / 1e9
  const isTiny = Math.abs(seconds) < 1e-6 && seconds !== 0
  return `${isTiny ? seconds.toFixed(9).replace(/0+$/, '') : seconds}s`
}

export const times: readonly Overload[] = [
  ...ofTimestamps,
  overload('string', ['duration'], 'string', ([time]) => formatDuration(timeOf(time))),
  overload('.getMilliseconds', ['duration'], 'int', ([time]) => nanosOf(timeOf(time)) / 1_000_000n),
]

function timeOf(value: CelValue | undefined): TimeValue {
  return value as unknown as TimeValue
}
