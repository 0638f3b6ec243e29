// Events as the client's generated messages write them: what decoders by hand are held to.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import fc from 'fast-check'

const MAX_UINT64 = 2n ** 64n - 1n

const anyBytes = fc.uint8Array({ maxLength: 300 })
const anyUint64 = fc.bigInt({ min: 0n, max: MAX_UINT64 })
export const anyEvent = fc.record({
  stream: fc.string({ unit: 'binary', maxLength: 40 }),
  revision: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }), fc.constant(2n ** 63n - 1n)),
  id: fc.uuid(),
  structuredId: fc.boolean(),
  type: fc.string({ unit: 'grapheme', maxLength: 40 }),
  json: fc.boolean(),
  data: anyBytes,
  metadata: anyBytes,
  created: fc.bigInt({ min: 0n, max: 9_999_999_999_999_999_999n }),
  commit: anyUint64,
  prepare: anyUint64,
})
export type AnyEvent = typeof anyEvent extends fc.Arbitrary<infer T> ? T : never

/** An event in the client's own message. */
export function messageOf(event: AnyEvent): streams.ReadResp {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent()
    .setId(event.structuredId ? structured(event.id) : new shared.UUID().setString(event.id))
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(event.stream)))
    .setStreamRevision(String(event.revision))
    .setCommitPosition(String(event.commit))
    .setPreparePosition(String(event.prepare))
    .setData(event.data)
    .setCustomMetadata(event.metadata)
  const map = recorded.getMetadataMap()
  map.set('type', event.type)
  map.set('created', String(event.created))
  map.set('content-type', event.json ? 'application/json' : 'application/octet-stream')
  const read = new streams.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(String(event.commit))
  return new streams.ReadResp().setEvent(read)
}

function structured(id: string): shared.UUID {
  const hex = id.replaceAll('-', '')
  const half = (digits: string) => String(BigInt.asIntN(64, BigInt(`0x${digits}`)))
  const halves = new shared.UUID.Structured()
    .setMostSignificantBits(half(hex.slice(0, 16)))
    .setLeastSignificantBits(half(hex.slice(16)))
  return new shared.UUID().setStructured(halves)
}

/** The messages as they come from the network. */
export function framed(messages: readonly streams.ReadResp[]): Buffer {
  return Buffer.concat(
    messages.map((message) => {
      const bytes = message.serializeBinary()
      const prefix = Buffer.alloc(5)
      prefix.writeUInt32BE(bytes.length, 1)
      return Buffer.concat([prefix, bytes])
    }),
  )
}

/** Gives the bytes in parts, cut at these places. */
export function inParts(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((place, i) => Buffer.from(bytes.subarray(places[i], place)))
}
