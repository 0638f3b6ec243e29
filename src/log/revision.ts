// Revisions: the 0-based place of an event in its stream, and what an append expects of it.

/** 0-based place in one stream; a safe integer but for {@link TOMBSTONE_REVISION}. */
export type Revision = number

/**
 * The revision of the `$streamDeleted` event that ends a tombstoned stream: the largest signed 64-bit integer on the wire
 * (9223372036854775807), which as a JavaScript number is 2^63.
 */
export const TOMBSTONE_REVISION: Revision = 2 ** 63

/**
 * The guard of an append. A revision: the stream's last event stands there. `noStream`: it has no event. `streamExists`:
 * it has events or metadata. `any`: no guard.
 */
export type ExpectedRevision = Revision | 'any' | 'noStream' | 'streamExists'

/** What an append found instead of what it expected. */
export type ActualRevision = Revision | 'noStream'
