// Who uses a key that should be unique: one record a key and subject.
import { sharedUsesOf } from '../engine/detect.js'
import type { FoldedSubject } from '../engine/fold.js'
import { hashOf } from '../engine/hash.js'
import type { Projection } from '../engine/projection.js'
import type { RunRecord } from './run.js'

/** A value that says that the key is used; an empty one says that it no longer is. */
const USED = Buffer.from([1])
const NOT_USED = Buffer.alloc(0)

/** The keys that a subject uses, each with its rule, as often as it uses it. */
export function keysOf(folded: FoldedSubject, projection: Projection): string[] {
  return Array.from(sharedUsesOf(folded, projection), ({ rule, use }) => `${rule} ${use.key}`)
}

/** Orders the uses of one key together. */
export function orderOfKey(key: string): number {
  return hashOf(key)
}

export function recordOfUse(key: string, subject: string, isUsed: boolean): RunRecord {
  return {
    order: orderOfKey(key),
    key: Buffer.from(JSON.stringify([key, subject])),
    value: isUsed ? USED : NOT_USED,
  }
}

/** Key and subject of a record's key. */
export function useIn(text: string): readonly [key: string, subject: string] {
  return JSON.parse(text) as [string, string]
}
