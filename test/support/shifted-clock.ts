/**
 * Preloaded (`node --import`), it stands for a machine whose wall clock is off by SHIFTED_CLOCK_BY milliseconds. The monotonic
 * clock and timers are left alone, as they are when somebody sets a clock.
 */
const by = Number(process.env['SHIFTED_CLOCK_BY'])
const real = Date.now
const now = (): number => real() + by

globalThis.Date = new Proxy(Date, {
  construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [now()] : given, made) as object,
  apply: () => new Date().toString(),
  get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
})
