// What every kind of reading works with.
import type { EventStore, StoredReader } from '../../log/event-store.js'
import { unavailable } from '../status.js'
import type { ReadAnswer } from './read-answer.js'
import type { ReadRequest } from './read-request.js'

export interface Reading {
  readonly store: EventStore
  readonly reply: ReadAnswer
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal
}

/** Where the events of an answer are read from: as their home holds them where it can give them so, since they are only passed on. */
export function sourceOf({ store }: Reading): EventStore | StoredReader {
  return store.stored?.() ?? store
}

/** A request of one kind. */
export type RequestOf<Kind extends ReadRequest['kind']> = Extract<ReadRequest, { kind: Kind }>

/** A subscription ends only by an error: its client left, the server stops, or the store was closed under it. */
export function subscriptionOver({ signal }: Reading): never {
  signal.throwIfAborted()
  throw unavailable('The store was closed')
}

/** A start that a request really has; see ReadRequest. */
export function startOf<Start>(request: { readonly start: Start | undefined }): Start {
  if (request.start === undefined) throw new Error('A reading without a start is answered before it gets here')
  return request.start
}
