// Operating failures that any home of the log may meet. Expected outcomes of an append are values: see AppendResult.
import type { Position } from './position.js'
import { formatPosition } from './position.js'

/** The store cannot be reached, opened, read or written: no folder, no rights, no space, no server. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/** Nothing more can be written for lack of space; reading goes on. */
export class StoreFullError extends StoreUnavailableError {}

/** The text that says where a store is cannot be understood. The message names what is wrong, and no secret. */
export class StoreAddressError extends Error {
  override readonly name = 'StoreAddressError'
}

/** What the store gave back is not what was put in: a checksum, a revision or an index entry is wrong. */
export class StoreCorruptError extends Error {
  override readonly name = 'StoreCorruptError'
}

/** A reading asked to begin at a place in the log where no record begins. */
export class InvalidPositionError extends Error {
  override readonly name = 'InvalidPositionError'
  constructor(readonly position: Position) {
    super(`No event stands at position ${formatPosition(position)}`)
  }
}

/** The stream that is subscribed to was deleted for ever. */
export class StreamTombstonedError extends Error {
  override readonly name = 'StreamTombstonedError'
  constructor(readonly stream: string) {
    super(`Stream ${JSON.stringify(stream)} is tombstoned`)
  }
}
