// Names of streams and expected revisions as the protocol carries them, in and out.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import type { ExpectedRevision } from '../../log/revision.js'
import { handlerFailed } from '../status.js'

/** The largest signed 64-bit integer; a revision above it is none. */
const MAX_REVISION = 2n ** 63n - 1n

/** What an append, a delete or a tombstone expects: for the store, and for the answer, which repeats it in full. */
export type Expectation =
  | { readonly kind: 'any' | 'noStream' | 'streamExists'; readonly revision: ExpectedRevision }
  | { readonly kind: 'revision'; readonly revision: number; readonly text: string }

/** Throws the status of a name that is missing or empty. */
export function streamNameIn(identifier: shared.StreamIdentifier | undefined): string {
  const name = nameIn(identifier)
  if (name === '') throw handlerFailed()
  return name
}

/** The name, empty where there is none. */
export function nameIn(identifier: shared.StreamIdentifier | undefined): string {
  return identifier ? Buffer.from(identifier.getStreamName_asU8()).toString('utf8') : ''
}

export function streamIdentifier(stream: string): shared.StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(stream))
}

/** Throws the status of a revision that is too large. */
export function exactly(text: string): Expectation {
  if (BigInt(text) > MAX_REVISION) throw handlerFailed()
  return { kind: 'revision', revision: Number(text), text }
}

export const EXPECT_ANY: Expectation = { kind: 'any', revision: 'any' }
export const EXPECT_NO_STREAM: Expectation = { kind: 'noStream', revision: 'noStream' }
export const EXPECT_STREAM_EXISTS: Expectation = { kind: 'streamExists', revision: 'streamExists' }

/** The options of Append, Delete and Tombstone have the same four fields. */
interface ExpectedOptions {
  hasRevision(): boolean
  getRevision(): string
  hasAny(): boolean
  hasNoStream(): boolean
  hasStreamExists(): boolean
}

/** What the options expect; undefined where they do not say. */
export function expectationIn(options: ExpectedOptions): Expectation | undefined {
  if (options.hasRevision()) return exactly(options.getRevision())
  if (options.hasAny()) return EXPECT_ANY
  if (options.hasNoStream()) return EXPECT_NO_STREAM
  return options.hasStreamExists() ? EXPECT_STREAM_EXISTS : undefined
}
