/** Anything that JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export function objectOf(value: Json | undefined): { [key: string]: Json } | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
}

/** The value at the end of the fields; null where there is none. What objects inherit does not count. */
export function at(value: Json, ...fields: readonly string[]): Json {
  let here: Json = value
  for (const field of fields) {
    const object = objectOf(here)
    if (object === null || !Object.hasOwn(object, field)) return null
    here = object[field] ?? null
  }
  return here
}

/** Where a value lies: in which object or list, under which key. */
export interface Place {
  readonly holder: Json[] | { [key: string]: Json }
  readonly key: string
}

/** Every place below the value, outer ones first. */
export function placesIn(value: Json): readonly Place[] {
  if (typeof value !== 'object' || value === null) return []
  const places: Place[] = []
  const open: Place['holder'][] = [value]
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    for (const [key, below] of Object.entries(holder)) {
      places.push({ holder, key })
      if (typeof below === 'object' && below !== null) open.push(below)
    }
  }
  return places
}

export function read({ holder, key }: Place): Json {
  return (Array.isArray(holder) ? holder[Number(key)] : holder[key]) ?? null
}

/** Whatever the key: `__proto__` becomes a field like any other. */
export function write({ holder, key }: Place, value: Json): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}

export function remove({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete holder[key]
}
