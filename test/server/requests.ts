// Requests of the Streams service as messages, well formed: tests change what they are about.
import { randomUUID } from 'node:crypto'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'

export const { Options } = streams.ReadReq

export type Proposal = streams.AppendReq.ProposedMessage

export const EMPTY = new shared.Empty()

export function identifier(name: string): shared.StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(name))
}

export function uuid(): shared.UUID {
  return new shared.UUID().setString(randomUUID())
}

/** A reading of a stream: ten events from its start. */
export function readStreamOptions(stream: string): streams.ReadReq.Options {
  const place = new Options.StreamOptions().setStreamIdentifier(identifier(stream)).setStart(EMPTY)
  return anyReading().setStream(place).setCount('10')
}

/** A reading of the log: ten events from its start. */
export function readAllOptions(): streams.ReadReq.Options {
  return anyReading().setAll(new Options.AllOptions().setStart(EMPTY)).setCount('10')
}

function anyReading(): streams.ReadReq.Options {
  return new Options().setNoFilter(EMPTY).setUuidOption(new Options.UUIDOption().setString(EMPTY))
}

/** The first message of an append, whatever the stream holds. */
export function appendOptions(stream: string): streams.AppendReq {
  const options = new streams.AppendReq.Options().setStreamIdentifier(identifier(stream)).setAny(EMPTY)
  return new streams.AppendReq().setOptions(options)
}

/** An event of an append. */
export function proposal(): Proposal {
  const event = new streams.AppendReq.ProposedMessage().setId(uuid())
  event.getMetadataMap().set('type', 'Counted').set('content-type', 'application/json')
  return event.setData(Buffer.from('{"n":3}'))
}

export function proposed(event: Proposal): streams.AppendReq {
  return new streams.AppendReq().setProposedMessage(event)
}
