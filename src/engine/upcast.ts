// Upcasting: the data of an old version of an event type becomes that of the current one, step by step, before its schema sees it. The log itself
// is never rewritten.
import type { JsonObject, JsonValue } from './json.js'
import type { Projection, Upcast } from './projection.js'

/** Data of the current version; or why there is none. */
export type Lifting =
  | { readonly kind: 'lifted'; readonly data: unknown }
  | { readonly kind: 'refused'; readonly why: string }

const FIELD = 'schemaVersion'

/** Lifts an event's data to the current version of its type. Types without upcasts keep their data, whatever version it names. */
export function lift(
  type: string,
  { data, metadata }: { data: unknown; metadata: () => JsonObject },
  { name, upcasts = {} }: Projection,
): Lifting {
  const steps = Object.hasOwn(upcasts, type) ? upcasts[type] : undefined
  if (!steps || !isObject(data)) return { kind: 'lifted', data }
  const current = Object.keys(steps).length + 1
  const version = versionOf(data, metadata)
  if (!isVersion(version))
    return refused(`${FIELD}: expected a whole number from 1 on, found ${JSON.stringify(version)}`)
  if (version > current) return refused(`${FIELD} ${version} is newer than ${current}, the newest that ${name} knows`)
  const upward = Array.from({ length: current - version }, (_, index) => steps[version + index] as Upcast)
  return climb(data, upward, { version, current })
}

function climb(
  data: JsonObject,
  steps: readonly Upcast[],
  { version, current }: { version: number; current: number },
): Lifting {
  let lifted: unknown = data
  for (const [index, step] of steps.entries()) {
    try {
      lifted = step(lifted as JsonObject)
    } catch (error) {
      return refused(
        `its upcast from version ${version + index} failed: ${error instanceof Error ? error.message : error}`,
      )
    }
    if (!isObject(lifted)) return refused(`its upcast from version ${version + index} gave no object`)
  }
  // An event that names its version names the one that it now has, so that a schema may insist on it.
  const isNamed = steps.length > 0 && isObject(lifted) && Object.hasOwn(lifted, FIELD)
  return { kind: 'lifted', data: isNamed ? { ...(lifted as JsonObject), [FIELD]: current } : lifted }
}

function versionOf(data: JsonObject, metadata: () => JsonObject): JsonValue {
  const inData = Object.hasOwn(data, FIELD) ? data[FIELD] : undefined
  if (inData !== undefined) return inData
  const told = metadata()
  return (Object.hasOwn(told, FIELD) ? told[FIELD] : undefined) ?? 1
}

function isVersion(version: JsonValue): version is number {
  return Number.isSafeInteger(version) && (version as number) >= 1
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(why: string): Lifting {
  return { kind: 'refused', why: firstLine(why) }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string
}
