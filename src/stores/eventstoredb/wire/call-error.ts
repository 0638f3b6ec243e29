// How a call to a server ended that did not succeed, from whichever library it came: gRPC's code, the server's own type, and the trailers.

/** gRPC's status codes, as far as the adapter tells them apart. */
export const CODE = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
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

export type Trailers = Readonly<Record<string, string>>

/** A call failed. `details` are the server's own words, or ours where no server answered. */
export class CallError extends Error {
  override readonly name = 'CallError'
  constructor(
    /** gRPC's status code. */
    readonly code: number,
    readonly details: string,
    readonly trailers: Trailers = {},
    options?: ErrorOptions,
  ) {
    super(details === '' ? `gRPC status ${code}` : details, options)
  }

  /** EventStoreDB's name of the error, such as `stream-deleted`: many errors share a code, and outages have none. */
  get type(): string | undefined {
    return this.trailers.exception
  }
}

/** The call broke off: the connection was lost, or the server ended the call without a status. */
export function connectionLost(details: string, cause?: unknown): CallError {
  return new CallError(CODE.unavailable, details, {}, { cause })
}
