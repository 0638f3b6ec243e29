// The answers of BatchAppend: a success, or a google.rpc.Status whose detail tells what kind of error it is.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import statuses from '@eventstore/db-client/generated/status_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import any from 'google-protobuf/google/protobuf/any_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import type { AppendResult } from '../../log/event-store.js'
import type { ActualRevision } from '../../log/revision.js'
import { CODE, type Code, type StatusError } from '../status.js'
import { type Expectation, streamIdentifier } from './identifiers.js'

/** How a batch ended, without whose it was. */
export type BatchOutcome =
  | { readonly kind: 'success'; readonly success: streams.BatchAppendResp.Success }
  | { readonly kind: 'error'; readonly error: statuses.Status }

/** The outcome of an append that the store has answered. */
export function outcomeOf(
  result: AppendResult,
  request: { readonly stream: string; readonly expectation: Expectation; readonly maxAppendBytes: number },
): BatchOutcome {
  switch (result.kind) {
    case 'appended':
      return { kind: 'success', success: successOf(result) }
    case 'conflict':
      return errorOf(CODE.alreadyExists, 'WrongExpectedVersion', conflictOf(request.expectation, result.actual))
    case 'unknown':
      return timeout()
    case 'refused':
      return refusalOf(result, request)
  }
}

export function timeout(): BatchOutcome {
  return errorOf(CODE.deadlineExceeded, 'Timeout', new shared.Timeout())
}

export function tooLarge(maxAppendBytes: number): BatchOutcome {
  const detail = new shared.MaximumAppendSizeExceeded().setMaxappendsize(maxAppendBytes)
  return errorOf(CODE.invalidArgument, 'MaximumAppendSizeExceeded', detail)
}

export function badRequest(message: string): BatchOutcome {
  return errorOf(CODE.invalidArgument, 'BadRequest', new shared.BadRequest().setMessage(message))
}

/** The outcome of a batch that was ended by a thrown status. */
export function outcomeOfStatus({ code, details }: StatusError): BatchOutcome {
  if (code === CODE.permissionDenied) return accessDenied()
  if (code === CODE.invalidArgument) {
    return badRequest(`Status(StatusCode="InvalidArgument", Detail="${details}")`)
  }
  if (code === CODE.unknown) return badRequest(details)
  const { error } = errorOf(code, 'Unknown', new shared.Unknown())
  return { kind: 'error', error: error.setMessage(details) }
}

function accessDenied(): BatchOutcome {
  return errorOf(CODE.permissionDenied, 'AccessDenied', new shared.AccessDenied())
}

function refusalOf(
  { reason, message }: Extract<AppendResult, { kind: 'refused' }>,
  { stream, maxAppendBytes }: { readonly stream: string; readonly maxAppendBytes: number },
): BatchOutcome {
  switch (reason) {
    case 'stream-deleted': {
      const detail = new shared.StreamDeleted().setStreamIdentifier(streamIdentifier(stream))
      return errorOf(CODE.notFound, 'StreamDeleted', detail)
    }
    case 'access-denied':
      return accessDenied()
    case 'too-large':
      return tooLarge(maxAppendBytes)
    case 'invalid':
      return badRequest(message)
  }
}

function errorOf(code: Code, name: string, detail: { serializeBinary(): Uint8Array }) {
  const details = new any.Any()
  details.setTypeUrl(`type.googleapis.com/event_store.client.${name}`)
  details.setValue(detail.serializeBinary())
  // The generated enum has the same numbers, as google.rpc.Code is where gRPC takes them from.
  const error = new statuses.Status().setCode(code as number as statuses.Status.AsObject['code'])
  return { kind: 'error', error: error.setMessage(name).setDetails(details) } as const
}

function successOf({ revision, position }: Extract<AppendResult, { kind: 'appended' }>) {
  const success = new streams.BatchAppendResp.Success()
  if (revision === undefined) success.setNoStream(new empty.Empty())
  else success.setCurrentRevision(String(revision))
  if (!position) return success.setNoPosition(new empty.Empty())
  const { commit, prepare } = position
  return success.setPosition(
    new shared.AllStreamPosition().setCommitPosition(String(commit)).setPreparePosition(String(prepare)),
  )
}

function conflictOf(expectation: Expectation, actual: ActualRevision): shared.WrongExpectedVersion {
  const conflict = new shared.WrongExpectedVersion()
  if (actual === 'noStream') conflict.setCurrentNoStream(new empty.Empty())
  else conflict.setCurrentStreamRevision(String(actual))
  switch (expectation.kind) {
    case 'any':
      return conflict.setExpectedAny(new empty.Empty())
    case 'streamExists':
      return conflict.setExpectedStreamExists(new empty.Empty())
    case 'noStream':
      return conflict.setExpectedNoStream(new empty.Empty())
    case 'revision':
      return conflict.setExpectedStreamPosition(expectation.text)
  }
}
