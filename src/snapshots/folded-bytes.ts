// A folded subject as bytes and back, the same in everything that a fold or a rule could tell: as JSON where that loses nothing, else in V8's
// format, which takes ten times as long.
import { deserialize, serialize } from 'node:v8'
import type { FoldedSubject } from '../engine/fold.js'

const JSON_FORMAT = Buffer.from('j')
const V8_FORMAT = Buffer.from('v')

type Fields = [
  FoldedSubject['ordinal'],
  FoldedSubject['state'],
  FoldedSubject['heads'],
  FoldedSubject['undecodable'],
  FoldedSubject['holes'],
  FoldedSubject['limits'],
]

/** The bytes, in pieces. Throws where the state is not plain data. */
export function piecesOfFolded({ ordinal, state, heads, undecodable, holes, limits }: FoldedSubject): Buffer[] {
  const fields: Fields = [ordinal, state, heads, undecodable, holes, limits]
  return isJsonTree(state, new Set())
    ? [JSON_FORMAT, Buffer.from(JSON.stringify(fields))]
    : [V8_FORMAT, serialize(fields)]
}

/** Throws what the parsers throw. */
export function foldedOf(subject: string, bytes: Buffer): FoldedSubject {
  const isJson = bytes[0] === JSON_FORMAT[0]
  const fields = (isJson ? JSON.parse(bytes.toString('utf8', 1)) : deserialize(bytes.subarray(1))) as Fields
  const [ordinal, state, heads, undecodable, holes, limits] = fields
  return { subject, ordinal, state, heads, undecodable, holes, limits }
}

/** Whether JSON gives it back as it is: also with no object in it twice, which would come back as two. */
function isJsonTree(value: unknown, seen: Set<object>): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || seen.has(value)) return false
  seen.add(value)
  if (Array.isArray(value)) return isDense(value) && value.every((item) => isJsonTree(item, seen))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype || 'toJSON' in value) return false
  for (const key of Object.keys(value)) if (!isJsonTree((value as Record<string, unknown>)[key], seen)) return false
  return true
}

/** Without holes and without named fields of its own. */
function isDense(array: readonly unknown[]): boolean {
  return Object.keys(array).length === array.length
}
