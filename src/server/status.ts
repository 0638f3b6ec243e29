// How calls end: gRPC's status codes, and each error in the form that clients turn into their typed errors. The words and
// trailers are those of EventStoreDB 24.6; this is the one place where errors become statuses.
import { StoreCorruptError, StoreFullError, StoreUnavailableError, StreamTombstonedError } from '../log/store-errors.js'

/** The status codes of gRPC that this server gives. */
export const CODE = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const

export type Code = (typeof CODE)[keyof typeof CODE]

/** Ends a call with a status. `trailers` are what clients read their typed errors from. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  constructor(
    readonly code: Code,
    readonly details: string,
    readonly trailers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(details, options)
  }
}

/** The status of anything that was thrown. What is not foreseen here is the server's own fault and is told as such. */
export function statusOf(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  if (error instanceof StreamTombstonedError) return streamDeleted(error.stream)
  // A client that is told `unavailable` takes the server for gone and drops its connection.
  if (error instanceof StoreFullError)
    return new StatusError(CODE.resourceExhausted, error.message, {}, { cause: error })
  if (error instanceof StoreUnavailableError) return unavailable(error.message, error)
  if (error instanceof StoreCorruptError) return new StatusError(CODE.dataLoss, error.message, {}, { cause: error })
  return handlerFailed(error)
}

/** Many mistakes of a caller end like this on a real server, without a word on what is wrong. */
export function handlerFailed(cause?: unknown): StatusError {
  return new StatusError(CODE.unknown, 'Exception was thrown by handler.', {}, { cause })
}

export function invalidArgument(details: string): StatusError {
  return new StatusError(CODE.invalidArgument, details)
}

/** A oneof of the protocol that was left out, by its name in the server's own code. */
export function oneofMissing(name: string): StatusError {
  return invalidArgument(`'None' is not a valid EventStore.Client.${name}`)
}

export function unexpectedResult(kind: 'ReadStreamResult' | 'ReadAllResult', result: string): StatusError {
  return new StatusError(CODE.unknown, `Unexpected ${kind}: ${result}`)
}

export function unauthenticated(): StatusError {
  return new StatusError(CODE.unauthenticated, 'Unauthenticated')
}

export function accessDenied(): StatusError {
  return new StatusError(CODE.permissionDenied, 'Access Denied', { exception: 'access-denied' })
}

export function streamDeleted(stream: string): StatusError {
  const trailers = { exception: 'stream-deleted', 'stream-name': stream }
  return new StatusError(CODE.failedPrecondition, `Event stream '${stream}' is deleted.`, trailers)
}

/** Of a delete or a tombstone; an append tells it in its answer. `expected` and `actual` are numbers, negative ones have names. */
export function wrongExpectedVersion(stream: string, version: { expected: string; actual: string }): StatusError {
  const { expected, actual } = version
  return new StatusError(
    CODE.failedPrecondition,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': expected,
      'actual-version': actual,
    },
  )
}

export function maximumAppendSizeExceeded(maxAppendBytes: number): StatusError {
  return new StatusError(CODE.invalidArgument, `Maximum Append Size of ${maxAppendBytes} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(maxAppendBytes),
  })
}

export function requiredMetadataMissing(property: string): StatusError {
  return new StatusError(CODE.invalidArgument, `Required Metadata Property '${property}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  })
}

export function userNotFound(login: string): StatusError {
  const trailers = { exception: 'user-not-found', 'login-name': login }
  return new StatusError(CODE.notFound, `User '${login}' is not found.`, trailers)
}

export function userConflict(login: string): StatusError {
  const trailers = { exception: 'user-conflict', 'login-name': login }
  return new StatusError(CODE.alreadyExists, `User '${login}' already exists.`, trailers)
}

/** The outcome of the operation is not known. */
export function operationTimedOut(): StatusError {
  return new StatusError(CODE.aborted, 'Operation timed out')
}

export function deadlineExceeded(): StatusError {
  return new StatusError(CODE.deadlineExceeded, 'Deadline Exceeded')
}

export function unavailable(details: string, cause?: unknown): StatusError {
  return new StatusError(CODE.unavailable, details, {}, { cause })
}

export function unimplemented(details: string): StatusError {
  return new StatusError(CODE.unimplemented, details)
}

/** Names the encodings that there are, as gRPC wants it. */
export function compressionNotSupported(): StatusError {
  return new StatusError(CODE.unimplemented, 'Messages may be compressed by gzip only', {
    'grpc-accept-encoding': 'identity,gzip',
  })
}

export function messageTooLarge(): StatusError {
  return new StatusError(CODE.resourceExhausted, 'Received message exceeds the maximum configured message size.')
}
