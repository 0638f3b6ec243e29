// Streams.Delete (soft) and Streams.Tombstone (for ever): the same request, answer and errors.
import type shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { DeleteResult } from '../../log/event-store.js'
import type { Position } from '../../log/position.js'
import type { ExpectedRevision } from '../../log/revision.js'
import type { Principal } from '../access/principal.js'
import { type ServerContext, unary } from '../server-context.js'
import { oneofMissing, operationTimedOut, wrongExpectedVersion } from '../status.js'
import { decodeMessage } from '../transport/message-reader.js'
import { refusalStatus } from './append.js'
import { type Expectation, expectationIn, streamNameIn } from './identifiers.js'
import { inTime } from './write.js'

export const deleteStream = unary('/event_store.client.streams.Streams/Delete', async (message, server, caller) => {
  const options = decodeMessage(streams.DeleteReq, message).getOptions()
  const write = (stream: string, expected: ExpectedRevision) => server.store.deleteStream(stream, expected)
  const position = await end({ kind: 'Delete', options, write }, server, caller.principal)
  return new streams.DeleteResp().setPosition(
    new streams.DeleteResp.Position()
      .setCommitPosition(String(position.commit))
      .setPreparePosition(String(position.prepare)),
  )
})

export const tombstone = unary('/event_store.client.streams.Streams/Tombstone', async (message, server, caller) => {
  const options = decodeMessage(streams.TombstoneReq, message).getOptions()
  const write = (stream: string, expected: ExpectedRevision) => server.store.tombstone(stream, expected)
  const position = await end({ kind: 'Tombstone', options, write }, server, caller.principal)
  return new streams.TombstoneResp().setPosition(
    new streams.TombstoneResp.Position()
      .setCommitPosition(String(position.commit))
      .setPreparePosition(String(position.prepare)),
  )
})

interface Ending {
  readonly kind: 'Delete' | 'Tombstone'
  readonly options:
    | (Parameters<typeof expectationIn>[0] & { getStreamIdentifier(): shared.StreamIdentifier | undefined })
    | undefined
  readonly write: (stream: string, expected: ExpectedRevision) => Promise<DeleteResult>
}

/** Ends a stream. Throws the status where it does not. */
async function end({ kind, options, write }: Ending, server: ServerContext, principal: Principal): Promise<Position> {
  const stream = streamNameIn(options?.getStreamIdentifier())
  const expectation = options && expectationIn(options)
  if (!expectation) throw oneofMissing(`Streams.${kind}Req+Types+Options+ExpectedStreamRevisionOneofCase`)
  await server.access.check(principal, 'delete', stream)
  const result = await inTime(write(stream, expectation.revision), server.commitTimeoutMs)
  switch (result.kind) {
    case 'deleted':
      return result.position
    case 'conflict': {
      const actual = result.actual === 'noStream' ? '-1' : String(result.actual)
      throw wrongExpectedVersion(stream, { expected: numberOf(expectation), actual })
    }
    case 'unknown':
      throw operationTimedOut()
    case 'refused':
      throw refusalStatus(stream, result, server.maxAppendBytes)
  }
}

/** In errors of these calls even the expectations with a name are numbers. */
function numberOf(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'any':
      return '-2'
    case 'noStream':
      return '-1'
    case 'streamExists':
      return '-4'
    case 'revision':
      return expectation.text
  }
}
