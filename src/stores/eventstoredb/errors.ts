// What went wrong, from the wire's words into those of the port. The only place where gRPC's codes and EventStoreDB's types are judged: an outage
// has a code and no type, a refusal has a type that many codes share, so both are looked at.

import type { AppendResult, RefusalReason } from '../../log/event-store.js'
import type { Position } from '../../log/position.js'
import { InvalidPositionError, StoreCorruptError, StoreUnavailableError } from '../../log/store-errors.js'
import type { Endpoint } from './endpoint.js'
import { CallError, CODE } from './wire/call-error.js'
import { MalformedMessageError } from './wire/proto-cursor.js'

/** Codes of a reading that may do better in a moment, or with another node. */
const TRANSIENT: ReadonlySet<number> = new Set([
  CODE.cancelled,
  CODE.deadlineExceeded,
  CODE.aborted,
  CODE.internal,
  CODE.unavailable,
])

/** Whether a reading may be taken up again: nothing is wrong with what was asked, but with who was asked. */
export function isTransient(error: CallError): boolean {
  return isNotLeader(error) || (error.type === undefined && TRANSIENT.has(error.code))
}

export function isNotLeader(error: CallError): boolean {
  return error.type === 'not-leader'
}

/** Where the leader is, as a node that is none tells; undefined where it does not know or makes no sense. */
export function leaderIn({ trailers }: CallError): Endpoint | undefined {
  const host = trailers['leader-endpoint-host']
  const port = Number(trailers['leader-endpoint-port'])
  return host !== undefined && host !== '' && Number.isInteger(port) && port > 0 && port < 65_536
    ? { host, port }
    : undefined
}

export function isStreamDeleted(error: unknown): boolean {
  return error instanceof CallError && error.type === 'stream-deleted'
}

/** The real server's words for a place in the log where no record begins; they come with code 2 or 3 and no type. */
const NO_SUCH_POSITION = /^Unexpected ReadAllResult: (InvalidPosition|Error)$|^Trying to read from an invalid position/

/** What a reading throws for what went wrong; `from` is the place at which it was asked to begin. */
export function readingError(error: unknown, server: string, from?: Position | 'start' | 'end'): unknown {
  if (error instanceof MalformedMessageError) {
    return new StoreCorruptError(`${server} sent what is no answer: ${error.message}`, { cause: error })
  }
  if (!(error instanceof CallError)) return error
  if (typeof from === 'object' && NO_SUCH_POSITION.test(error.details)) return new InvalidPositionError(from)
  if (error.code === CODE.dataLoss) return new StoreCorruptError(`${server}: ${error.details}`, { cause: error })
  return new StoreUnavailableError(`${server}: ${describe(error)}`, { cause: error })
}

function describe(error: CallError): string {
  if (error.code === CODE.unauthenticated) return 'user or password is wrong'
  if (isDenied(error)) return 'access denied to this user'
  if (error.code === CODE.unimplemented) return `it does not know this call (${error.details})`
  return error.message
}

function isDenied(error: CallError): boolean {
  return error.type === 'access-denied' || error.code === CODE.permissionDenied
}

type WriteFailure = Extract<AppendResult, { kind: 'conflict' | 'refused' | 'unknown' }>

/**
 * What became of a write whose call failed. Only what a server says before it takes a write, or instead of taking it, is a refusal; everything
 * else is unknown, an answer that never came above all.
 */
export function writeFailure(error: CallError): WriteFailure {
  if (error.type === 'wrong-expected-version') return conflictIn(error)
  const reason = refusalIn(error)
  if (reason) return { kind: 'refused', reason, message: describe(error) }
  return { kind: 'unknown', message: describe(error), cause: error }
}

function refusalIn(error: CallError): RefusalReason | undefined {
  if (error.type === 'stream-deleted') return 'stream-deleted'
  if (isDenied(error) || error.code === CODE.unauthenticated) return 'access-denied'
  if (error.type === 'maximum-append-size-exceeded') return 'too-large'
  if (error.code === CODE.invalidArgument) return 'invalid'
  // Not so codes 8 and 12: gRPC gives them by itself too, for a stream that was reset and for an answer that holds nothing.
  return undefined
}

/** Numbers below zero have names; -1 is a stream without events. */
function conflictIn(error: CallError): WriteFailure {
  const actual = Number(error.trailers['actual-version'] ?? -1)
  if (!Number.isInteger(actual)) return { kind: 'unknown', message: error.message, cause: error }
  return { kind: 'conflict', actual: actual < 0 ? 'noStream' : actual }
}
