// A log into a server and out of it again: what is told as lost is all that is lost.
import { expect, test } from 'vitest'
import type { LineEvent } from '../../src/log/event-line.js'
import { metadataStreamOf } from '../../src/log/stream.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { anEvent, eventsOf, someEvents } from '../controls/events.js'
import { serve } from '../server/served.js'
import { open } from '../stores/eventstoredb/opened.js'
import { eventsIn, importInto, linesOf } from './moving.js'

/** 300 bookings; one deleted and taken up again, one with limits, one deleted for ever, one whose first events a scavenge took away. */
async function someLog(): Promise<string[]> {
  const source = openMemoryStore({ clock: () => Date.parse('2026-05-01T10:00:00Z') })
  for (let round = 0; round < 3; round += 1) {
    for (let booking = 0; booking < 300; booking += 1) {
      await source.append(`payment-${booking}`, someEvents(1), 'any')
      if (round > 0) await source.append(`ticket-${booking}`, [anEvent({ data: Uint8Array.of(0, 255) })], 'any')
    }
  }
  await source.deleteStream('payment-7', 'any')
  await source.append('payment-7', someEvents(1), 'any')
  const limits = anEvent({ type: '$metadata', data: new TextEncoder().encode('{"$maxCount":2}') })
  await source.append(metadataStreamOf('payment-8'), [limits], 'any')
  await source.tombstone('ticket-9', 'any')
  await source.append('$ce-payment', someEvents(1), 'any')
  const lines = await linesOf(source)
  return lines.filter((line) => !/^\{"stream":"payment-5","revision":[01],/.test(line))
}

const placesOf = (events: readonly LineEvent[]) => events.map(({ stream, revision, id }) => ({ stream, revision, id }))

test('a log goes into a server as it was but for the losses that are told, and again adds nothing', async () => {
  const lines = await someLog()
  const { connectionString } = await serve()
  const store = await open(connectionString)
  const result = await importInto(store, lines)
  expect(result).toEqual({
    // The metadata that takes the deleted stream up again is the server's own, and the link is left out.
    added: lines.length - 2,
    present: 1,
    gaps: 0,
    losses: {
      timesMoved: lines.length - 3,
      timesLost: 0,
      renumbered: 1,
      metadataChanged: 1,
      tombstonesRenewed: 1,
      systemEvents: 1,
    },
  })
  expect(await importInto(store, lines)).toMatchObject({ added: 0, present: lines.length - 1 })
  expect((await eventsOf(store, 'payment-5')).map(({ revision }) => revision)).toEqual([0])
  expect((await eventsOf(store, 'payment-7')).map(({ revision }) => revision)).toEqual([3])
  expect((await eventsOf(store, 'payment-8')).map(({ revision }) => revision)).toEqual([1, 2])
  expect(await store.readStream('ticket-9')).toEqual({ kind: 'tombstoned' })
})

test('what was exported from a server stands in a folder with the places that it had there', async () => {
  const lines = await someLog()
  const { connectionString } = await serve()
  const store = await open(connectionString)
  await importInto(store, lines)
  const fromServer = await linesOf(store)
  const copy = openMemoryStore()
  expect(await importInto(copy, fromServer)).toEqual({ added: fromServer.length, present: 0, gaps: 0 })
  expect(await linesOf(copy)).toEqual(fromServer)
  const isKept = ({ stream, type }: LineEvent) =>
    stream !== 'payment-5' && stream !== '$ce-payment' && type !== '$metadata' && type !== '$streamDeleted'
  const sorted = (events: readonly LineEvent[]) =>
    placesOf(events.filter(isKept)).sort((a, b) => (a.id < b.id ? -1 : 1))
  expect(sorted(eventsIn(fromServer))).toEqual(sorted(eventsIn(lines)))
})
