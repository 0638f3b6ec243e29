// Events on the wire: the same bytes from an event that was read and from one as its home holds it, and what the generated classes read in them.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../../../src/log/event.js'
import { eventLengthMax, type StoredEvent, writeEvent } from '../../../src/log/event-bytes.js'
import { TOMBSTONE_REVISION } from '../../../src/log/revision.js'
import { EventEncoder, type Given, type Sent } from '../../../src/server/streams/event-encoder.js'
import { seedFor } from '../../controls/seed.js'

const MAX_INT64 = 2n ** 63n - 1n

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(0, 1, 127, 128, 20_000, 300_000).map((length) => Buffer.alloc(length, 'x')),
)
const anyPart = fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: MAX_INT64 }))
const anyEvent: fc.Arbitrary<RecordedEvent> = fc.record({
  stream: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constant('s'.repeat(20_000))),
  revision: fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 52 }), fc.constant(TOMBSTONE_REVISION)),
  id: fc.uuid(),
  type: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constant('t'.repeat(5_000))),
  contentType: fc.constantFrom('application/json', 'application/octet-stream'),
  data: anyBytes,
  metadata: anyBytes,
  created: fc.option(fc.bigInt({ min: -(2n ** 63n), max: MAX_INT64 }), { nil: undefined }),
  position: fc.record({ commit: anyPart, prepare: anyPart }),
})
const anySent: fc.Arbitrary<Sent> = fc.oneof(
  fc.record({ event: anyEvent }),
  fc.record({ event: fc.option(anyEvent, { nil: undefined }), link: anyEvent }),
  fc.record({ event: anyEvent, retryCount: fc.nat() }),
)

function asStored(event: RecordedEvent): StoredEvent {
  const room = Buffer.alloc(eventLengthMax(event))
  const bytes = Buffer.from(room.subarray(0, writeEvent(room, 0, event)))
  // What stands in the part of the home is no concern of anybody else.
  bytes.fill(0xab, 0, 16)
  return { stream: event.stream, position: event.position, bytes }
}

function withStored(sent: Sent): Sent<Given> {
  const event = sent.event && asStored(sent.event)
  return (sent.link ? { ...sent, event, link: asStored(sent.link) } : { ...sent, event }) as Sent<Given>
}

function messagesIn(bytes: Buffer): streams.ReadResp.ReadEvent[] {
  const messages: streams.ReadResp.ReadEvent[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1)
    const event = streams.ReadResp.deserializeBinary(bytes.subarray(at + 5, end)).getEvent()
    if (event) messages.push(event)
    at = end
  }
  return messages
}

function fieldsOf(event: streams.ReadResp.ReadEvent.RecordedEvent | undefined) {
  const metadata = event?.getMetadataMap()
  return (
    event && {
      stream: Buffer.from(event.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString(),
      revision: event.getStreamRevision(),
      id: event.getId()?.getString(),
      type: metadata?.get('type'),
      contentType: metadata?.get('content-type'),
      created: metadata?.get('created'),
      data: Buffer.from(event.getData_asU8()).toString('hex'),
      metadata: Buffer.from(event.getCustomMetadata_asU8()).toString('hex'),
      commit: event.getCommitPosition(),
      prepare: event.getPreparePosition(),
    }
  )
}

function expectedOf(event: RecordedEvent | undefined) {
  return (
    event && {
      stream: Buffer.from(event.stream).toString(),
      revision: event.revision === TOMBSTONE_REVISION ? String(MAX_INT64) : String(event.revision),
      id: event.id,
      type: Buffer.from(event.type).toString(),
      contentType: event.contentType,
      created: String(event.created ?? 0n),
      data: Buffer.from(event.data).toString('hex'),
      metadata: Buffer.from(event.metadata).toString('hex'),
      commit: String(event.position.commit),
      prepare: String(event.position.prepare),
    }
  )
}

describe('events on the wire', () => {
  test.each(['string', 'structured'] as const)('are the same bytes read or as held, ids as %s', (form) => {
    fc.assert(
      fc.property(fc.array(anySent, { maxLength: 6 }), (sent) => {
        const encoder = new EventEncoder(form)
        expect(encoder.encode(sent.map(withStored)).equals(encoder.encode(sent))).toBe(true)
      }),
      { seed: seedFor('event-encoder'), numRuns: 150 },
    )
  })

  test('are what the generated classes read', () => {
    fc.assert(
      fc.property(fc.array(anySent, { maxLength: 4 }), (sent) => {
        const messages = messagesIn(new EventEncoder('string').encode(sent.map(withStored)))
        expect(messages.map((message) => fieldsOf(message.getEvent()))).toEqual(
          sent.map(({ event }) => expectedOf(event)),
        )
        expect(messages.map((message) => fieldsOf(message.getLink()))).toEqual(sent.map(({ link }) => expectedOf(link)))
        const commits = sent.map(({ event, link }) => String((link ?? event)?.position.commit))
        expect(messages.map((message) => message.getCommitPosition())).toEqual(commits)
      }),
      { seed: seedFor('event-encoder'), numRuns: 150 },
    )
  })
})
