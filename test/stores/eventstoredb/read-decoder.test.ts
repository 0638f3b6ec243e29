// The decoder by hand gives what the client's generated classes give, however the bytes are cut, and falls over nothing.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../../../src/log/event.js'
import { TOMBSTONE_REVISION } from '../../../src/log/revision.js'
import { CallError } from '../../../src/stores/eventstoredb/wire/call-error.js'
import { MalformedMessageError } from '../../../src/stores/eventstoredb/wire/proto-cursor.js'
import { ReadDecoder, type ReadItem } from '../../../src/stores/eventstoredb/wire/read-decoder.js'
import { seedFor } from '../../controls/seed.js'
import { type AnyEvent, anyEvent, framed, inParts, messageOf } from './wire-events.js'

function expectedOf(event: AnyEvent) {
  return {
    stream: Buffer.from(event.stream).toString(),
    revision: event.revision === 2n ** 63n - 1n ? TOMBSTONE_REVISION : Number(event.revision),
    id: event.id,
    type: Buffer.from(event.type).toString(),
    contentType: event.json ? 'application/json' : 'application/octet-stream',
    data: [...event.data],
    metadata: [...event.metadata],
    created: event.created,
    position: { commit: event.commit, prepare: event.prepare },
  }
}

function plain(event: RecordedEvent) {
  return { ...event, data: [...event.data], metadata: [...event.metadata] }
}

function decodeInParts(bytes: Buffer, cuts: readonly number[]): ReadItem[] {
  const decoder = new ReadDecoder()
  const items = inParts(bytes, cuts).flatMap((part) => decoder.push(part))
  expect(decoder.isWithinMessage).toBe(false)
  return items
}

function eventsIn(items: readonly ReadItem[]): RecordedEvent[] {
  return items.flatMap((item) => (item.kind === 'events' ? item.events : []))
}

describe('the decoder', () => {
  test('gives every field as it was written, however the bytes are cut', () => {
    const cuts = fc.array(fc.nat(), { maxLength: 12 })
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 8 }), cuts, (events, places) => {
        const items = decodeInParts(framed(events.map(messageOf)), places)
        expect(eventsIn(items).map(plain)).toEqual(events.map(expectedOf))
      }),
      { seed: seedFor('read-decoder'), numRuns: 300 },
    )
  })

  test('gives runs of events with the words between them in order', () => {
    const [first, second] = fc.sample(anyEvent, { numRuns: 2, seed: 7 }).map(messageOf) as [
      streams.ReadResp,
      streams.ReadResp,
    ]
    const checkpoint = new streams.ReadResp.Checkpoint().setCommitPosition('300').setPreparePosition('299')
    const words = [
      new streams.ReadResp().setConfirmation(new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId('x')),
      first,
      second,
      new streams.ReadResp().setCheckpoint(checkpoint),
      second,
      new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()),
      new streams.ReadResp().setFellBehind(new streams.ReadResp.FellBehind()),
      new streams.ReadResp().setStreamNotFound(new streams.ReadResp.StreamNotFound()),
      new streams.ReadResp().setFirstStreamPosition('4'),
      new streams.ReadResp().setLastStreamPosition('70000'),
    ]
    const items = new ReadDecoder().push(framed(words))
    expect(items.map((item) => (item.kind === 'events' ? item.events.length : item))).toEqual([
      { kind: 'confirmed' },
      2,
      { kind: 'checkpoint', position: { commit: 300n, prepare: 299n } },
      1,
      { kind: 'caughtUp' },
      { kind: 'fellBehind' },
      { kind: 'streamNotFound' },
      { kind: 'lastRevision', revision: 70_000 },
    ])
  })

  test('a large message that comes in many parts is joined', () => {
    const data = Buffer.alloc(3_000_000, 'x')
    const [event] = fc.sample(anyEvent, { numRuns: 1, seed: 3 }) as [AnyEvent]
    const bytes = framed([messageOf({ ...event, data })])
    const cuts = Array.from({ length: 300 }, (_, i) => i * 9_999)
    expect(eventsIn(decodeInParts(bytes, cuts))[0]?.data.length).toBe(3_000_000)
  })

  test('fields that it does not know are passed over', () => {
    const [event] = fc.sample(anyEvent, { numRuns: 1, seed: 5 }) as [AnyEvent]
    const known = messageOf(event).serializeBinary()
    // Field 200: a varint, eight bytes, a text, four bytes.
    const unknown = Buffer.from([
      0xc0, 0x0c, 5, 0xc1, 0x0c, 1, 2, 3, 4, 5, 6, 7, 8, 0xc2, 0x0c, 1, 65, 0xc5, 0x0c, 1, 2, 3, 4,
    ])
    const bytes = Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), unknown, known])
    bytes.writeUInt32BE(unknown.length + known.length, 1)
    expect(eventsIn(new ReadDecoder().push(bytes)).map(plain)).toEqual([expectedOf(event)])
  })

  test('bytes that are no message are told as that, and never end the process', () => {
    const damaged = fc.tuple(anyEvent, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }))
    fc.assert(
      fc.property(damaged, ([event, flips]) => {
        const bytes = framed([messageOf(event)])
        for (const [place, byte] of flips) bytes[5 + (place % (bytes.length - 5))] = byte
        try {
          new ReadDecoder().push(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessageError)
        }
      }),
      { seed: seedFor('read-decoder'), numRuns: 500 },
    )
  })

  test('compressed messages and ones beyond 17 MiB are refused', () => {
    expect(() => new ReadDecoder().push(Buffer.from([1, 0, 0, 0, 0]))).toThrow(CallError)
    expect(() => new ReadDecoder().push(Buffer.from([0, 2, 0, 0, 0]))).toThrow(CallError)
  })
})
