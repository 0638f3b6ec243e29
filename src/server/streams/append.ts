// Streams.Append: options first, then events one by one; one answer when the client has sent all.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import protobuf from 'google-protobuf'
import type { ProposedEvent } from '../../log/event.js'
import type { AppendResult } from '../../log/event-store.js'
import type { ActualRevision } from '../../log/revision.js'
import type { Rpc, ServerContext } from '../server-context.js'
import {
  accessDenied,
  handlerFailed,
  maximumAppendSizeExceeded,
  oneofMissing,
  operationTimedOut,
  streamDeleted,
} from '../status.js'
import { frame } from '../transport/framing.js'
import type { GrpcCall } from '../transport/grpc-call.js'
import { decodeMessage } from '../transport/message-reader.js'
import { type Expectation, expectationIn, streamNameIn } from './identifiers.js'
import { proposedEventIn, Unfinished } from './proposals.js'
import { appendInTime } from './write.js'

interface AppendRequest {
  readonly stream: string
  readonly expectation: Expectation
  readonly events: readonly ProposedEvent[]
}

export const append: Rpc = {
  path: '/event_store.client.streams.Streams/Append',
  handle: async (call, server, principal) => {
    const messages = call.messages()
    const options = await readOptions(messages)
    await server.access.check(principal, 'write', options.stream)
    const events = await readEvents(messages, server.maxAppendBytes)
    const result = await appendInTime(server, { ...options, events })
    await answer(call, { ...options, events }, result, server)
  },
}

async function readOptions(messages: AsyncGenerator<Uint8Array>): Promise<Omit<AppendRequest, 'events'>> {
  const first = await messages.next()
  const options = first.done ? undefined : decodeMessage(streams.AppendReq, first.value).getOptions()
  if (!options) throw handlerFailed()
  const stream = streamNameIn(options.getStreamIdentifier())
  const expectation = expectationIn(options)
  if (!expectation) throw oneofMissing('Streams.AppendReq+Types+Options+ExpectedStreamRevisionOneofCase')
  return { stream, expectation }
}

/** Stops reading as soon as there is more than one append may hold. */
async function readEvents(messages: AsyncGenerator<Uint8Array>, maxAppendBytes: number): Promise<ProposedEvent[]> {
  const events: ProposedEvent[] = []
  const unfinished = new Unfinished(maxAppendBytes)
  let bytes = 0
  for await (const message of messages) {
    unfinished.take(message.length, 1)
    const proposed = decodeMessage(streams.AppendReq, message).getProposedMessage()
    if (!proposed) throw handlerFailed()
    const event = proposedEventIn(proposed)
    bytes += event.data.length
    if (bytes > maxAppendBytes) throw maximumAppendSizeExceeded(maxAppendBytes)
    events.push(event)
  }
  return events
}

async function answer(
  call: GrpcCall,
  { stream, expectation }: AppendRequest,
  result: AppendResult,
  { maxAppendBytes }: ServerContext,
): Promise<void> {
  switch (result.kind) {
    case 'appended':
      return call.send(frame(new streams.AppendResp().setSuccess(successOf(result)).serializeBinary()))
    case 'conflict':
      return call.send(frame(encodeConflict(conflictOf(expectation, result.actual))))
    case 'unknown':
      throw operationTimedOut()
    case 'refused':
      throw refusalStatus(stream, result, maxAppendBytes)
  }
}

/** The status of a write that the store refuses. */
export function refusalStatus(
  stream: string,
  { reason }: Extract<AppendResult, { kind: 'refused' }>,
  maxAppendBytes: number,
) {
  switch (reason) {
    case 'stream-deleted':
      return streamDeleted(stream)
    case 'access-denied':
      return accessDenied()
    case 'too-large':
      return maximumAppendSizeExceeded(maxAppendBytes)
    case 'invalid':
      return handlerFailed()
  }
}

function successOf({ revision, position }: Extract<AppendResult, { kind: 'appended' }>): streams.AppendResp.Success {
  const success = new streams.AppendResp.Success()
  if (revision === undefined) success.setNoStream(new shared.Empty())
  else success.setCurrentRevision(String(revision))
  if (!position) return success.setNoPosition(new shared.Empty())
  const { commit, prepare } = position
  return success.setPosition(
    new streams.AppendResp.Position().setCommitPosition(String(commit)).setPreparePosition(String(prepare)),
  )
}

const CONFLICT_FIELD = 2
const OLD_EXPECTED_FIELD = 3
/** How clients older than 20.6.1 are told "no stream": -1 as an unsigned number, which the generated setter cannot hold. */
const OLD_NO_STREAM = '18446744073709551615'

function encodeConflict(conflict: streams.AppendResp.WrongExpectedVersion): Uint8Array {
  const writer = new protobuf.BinaryWriter()
  writer.writeMessage(CONFLICT_FIELD, conflict, (message, nested) => {
    streams.AppendResp.WrongExpectedVersion.serializeBinaryToWriter(message, nested)
    if (message.hasExpectedNoStream()) nested.writeUint64String(OLD_EXPECTED_FIELD, OLD_NO_STREAM)
  })
  return writer.getResultBuffer()
}

function conflictOf(expectation: Expectation, actual: ActualRevision): streams.AppendResp.WrongExpectedVersion {
  const conflict = new streams.AppendResp.WrongExpectedVersion()
  if (actual === 'noStream') {
    conflict.setCurrentNoStream(new shared.Empty()).setNoStream2060(new shared.Empty())
  } else {
    conflict.setCurrentRevision(String(actual)).setCurrentRevision2060(actual)
  }
  switch (expectation.kind) {
    case 'any':
      return conflict.setExpectedAny(new shared.Empty()).setAny2060(new shared.Empty())
    case 'streamExists':
      return conflict.setExpectedStreamExists(new shared.Empty()).setStreamExists2060(new shared.Empty())
    case 'noStream':
      return conflict.setExpectedNoStream(new shared.Empty())
    case 'revision':
      return conflict.setExpectedRevision(expectation.text).setExpectedRevision2060(expectation.revision)
  }
}
