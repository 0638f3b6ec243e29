// Events off the wire as bytes are what the decoder beside it reads, however the bytes are cut, and nothing that comes ends the process.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../../../src/log/event.js'
import { readEvent } from '../../../src/log/event-bytes.js'
import { CallError } from '../../../src/stores/eventstoredb/wire/call-error.js'
import { EventPourer, type OnEvent } from '../../../src/stores/eventstoredb/wire/event-pourer.js'
import { MalformedMessageError } from '../../../src/stores/eventstoredb/wire/proto-cursor.js'
import { ReadDecoder } from '../../../src/stores/eventstoredb/wire/read-decoder.js'
import { seedFor } from '../../controls/seed.js'
import { anyEvent, framed, inParts, messageOf } from './wire-events.js'

const seed = seedFor('event-pourer')
// What has no ticks of 64 bits has no place in these bytes.
const anyHeld = anyEvent.map((event) => ({ ...event, created: event.created % 2n ** 63n }))

function pour(parts: readonly Buffer[]): RecordedEvent[] {
  const poured: RecordedEvent[] = []
  const onEvent: OnEvent = ({ commit, prepare }, stream, record, end) => {
    const copy = Buffer.from(record.subarray(0, end))
    const position = { commit: BigInt(commit), prepare: BigInt(prepare) }
    poured.push(plain({ stream, position, ...readEvent(copy, 0, copy.length) }))
  }
  const pourer = new EventPourer(onEvent)
  for (const part of parts) {
    const before = poured.length
    expect(pourer.push(part)).toHaveLength(poured.length > before ? 1 : 0)
  }
  expect(pourer.isWithinMessage).toBe(false)
  return poured
}

function decode(bytes: Buffer): RecordedEvent[] {
  const items = new ReadDecoder().push(bytes)
  return items.flatMap((item) => (item.kind === 'events' ? item.events : [])).map(plain)
}

function plain(event: RecordedEvent): RecordedEvent {
  return { ...event, data: new Uint8Array(event.data), metadata: new Uint8Array(event.metadata) }
}

/** The client's message with some of its fields taken away. */
function without(event: Parameters<typeof messageOf>[0], fields: readonly string[]): streams.ReadResp {
  const message = messageOf(event)
  const recorded = message.getEvent()?.getEvent()
  for (const field of fields) {
    if (field === 'created' || field === 'type' || field === 'content-type') recorded?.getMetadataMap().del(field)
    if (field === 'data') recorded?.setData('')
    if (field === 'revision') recorded?.setStreamRevision('0')
    if (field === 'stream') recorded?.clearStreamIdentifier()
  }
  return message
}

const FIELDS = ['created', 'type', 'content-type', 'data', 'revision', 'stream']

describe('events off the wire as bytes', () => {
  test('are what is decoded, with whatever fields there are, however the bytes are cut', () => {
    const anyMessage = fc.tuple(anyHeld, fc.subarray(FIELDS)).map(([event, fields]) => without(event, fields))
    const cuts = fc.array(fc.nat(), { maxLength: 12 })
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 8 }), cuts, (messages, places) => {
        const bytes = framed(messages)
        expect(pour(inParts(bytes, places))).toEqual(decode(bytes))
      }),
      { seed, numRuns: 300 },
    )
  })

  test('are links themselves, between words that are passed over', () => {
    const [target, link] = fc.sample(anyHeld, { numRuns: 2, seed: 7 }).map(messageOf) as [
      streams.ReadResp,
      streams.ReadResp,
    ]
    const resolved = new streams.ReadResp.ReadEvent()
      .setEvent(target.getEvent()?.getEvent())
      .setLink(link.getEvent()?.getEvent())
    const bytes = framed([
      new streams.ReadResp().setConfirmation(new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId('x')),
      new streams.ReadResp().setEvent(resolved),
      new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()),
      new streams.ReadResp().setLastStreamPosition('70000'),
    ])
    expect(pour([bytes])).toEqual(decode(bytes))
    expect(pour([bytes])).toHaveLength(1)
  })

  test('are joined where one comes in many parts', () => {
    const [event] = fc.sample(anyHeld, { numRuns: 1, seed: 3 }) as [Parameters<typeof messageOf>[0]]
    const bytes = framed([messageOf({ ...event, data: Buffer.alloc(3_000_000, 'x') }), messageOf(event)])
    const cuts = Array.from({ length: 300 }, (_, i) => i * 9_999)
    expect(pour(inParts(bytes, cuts))).toEqual(decode(bytes))
  })

  test('of which one has no UUID are told as malformed: nothing else could be given back', () => {
    const [event] = fc.sample(anyHeld, { numRuns: 1, seed: 5 }) as [Parameters<typeof messageOf>[0]]
    for (const id of ['', 'x', `${event.id}0`, event.id.replace('-', '0'), `g${event.id.slice(1)}`]) {
      const messages = [messageOf(event), messageOf({ ...event, id, structuredId: false })]
      expect(() => pour([framed(messages)])).toThrow(MalformedMessageError)
    }
    expect(() => pour([framed([new streams.ReadResp().setEvent(new streams.ReadResp.ReadEvent())])])).toThrow(
      MalformedMessageError,
    )
  })

  test('that are damaged are told as that at most', () => {
    const damaged = fc.tuple(anyHeld, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }))
    fc.assert(
      fc.property(damaged, ([event, flips]) => {
        const bytes = framed([messageOf(event)])
        for (const [place, byte] of flips) bytes[5 + (place % (bytes.length - 5))] = byte
        try {
          new EventPourer(() => {}).push(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessageError)
        }
      }),
      { seed, numRuns: 500 },
    )
  })

  test('are refused where they are compressed or beyond 17 MiB', () => {
    expect(() => new EventPourer(() => {}).push(Buffer.from([1, 0, 0, 0, 0]))).toThrow(CallError)
    expect(() => new EventPourer(() => {}).push(Buffer.from([0, 2, 0, 0, 0]))).toThrow(CallError)
  })
})
