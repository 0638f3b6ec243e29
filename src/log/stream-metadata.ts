// What a stream's metadata says about reading it: which events are cut off, and whether the stream is softly deleted.
// Which values count and which are passed over was observed on a real server (24.6.0): text, fractions and values below
// the ones named here are accepted and without effect.
import type { EventReader } from './event-store.js'
import type { Revision } from './revision.js'
import { metadataStreamOf } from './stream.js'
import { type Ticks, ticksOfMs } from './ticks.js'

/** `$tb` of a softly deleted stream: the largest signed 64-bit integer, written in full in the metadata's JSON. */
export const SOFT_DELETE_TB = '9223372036854775807'

/** The limits that a stream's metadata sets on reading it. */
export interface StreamLimits {
  /** `$tb`: the first revision that can be read. */
  readonly truncateBefore?: Revision
  /** `$maxCount`: only this many of the last events can be read. */
  readonly maxCount?: number
  /** `$maxAge`, in seconds: only events younger than this can be read. */
  readonly maxAgeSeconds?: number
  readonly softDeleted: boolean
}

const NO_LIMITS: StreamLimits = { softDeleted: false }
const decoder = new TextDecoder()

/** The limits in a metadata event's data; none where it is not a JSON object. */
export function limitsOf(data: Uint8Array): StreamLimits {
  let json: unknown
  try {
    json = JSON.parse(decoder.decode(data))
  } catch {
    return NO_LIMITS
  }
  if (typeof json !== 'object' || json === null) return NO_LIMITS
  const { $tb, $maxCount, $maxAge } = json as Record<string, unknown>
  return {
    ...(isWholeNumber($tb, 0) && { truncateBefore: $tb }),
    ...(isWholeNumber($maxCount, 1) && { maxCount: $maxCount }),
    ...(isWholeNumber($maxAge, 1) && { maxAgeSeconds: $maxAge }),
    // As a double the largest int64 is 2^63, and no other revision comes near it.
    softDeleted: typeof $tb === 'number' && $tb >= 2 ** 63,
  }
}

function isWholeNumber(value: unknown, min: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min
}

/** Whether an event can be read under these limits. `head` is the stream's last revision, `now` the store's clock. */
export function isReadable(
  event: { revision: Revision; created: Ticks | undefined },
  limits: StreamLimits,
  { head, now }: { head: Revision; now: number },
): boolean {
  if (event.revision < firstReadable(limits, head)) return false
  if (limits.maxAgeSeconds === undefined || event.created === undefined) return true
  return event.created > ticksOfMs(now) - BigInt(limits.maxAgeSeconds) * 10_000_000n
}

/** The first revision that `$tb` and `$maxCount` leave readable. */
export function firstReadable(limits: StreamLimits, head: Revision): Revision {
  const byCount = limits.maxCount === undefined ? 0 : head - limits.maxCount + 1
  return Math.max(0, limits.truncateBefore ?? 0, byCount)
}

/** The last metadata written for a stream: its bytes and revision, or undefined where none was. */
export async function readStreamMetadata(
  reader: EventReader,
  stream: string,
): Promise<{ readonly data: Uint8Array; readonly revision: Revision } | undefined> {
  const read = await reader.readStream(metadataStreamOf(stream), { direction: 'backwards', maxCount: 1 })
  if (read.kind !== 'found') return undefined
  for await (const [last] of read.events) {
    if (last) return { data: last.data, revision: last.revision }
  }
  return undefined
}
