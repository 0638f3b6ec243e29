// The log in ranges for readers side by side: they cut it at events, about evenly, and together are the whole of it.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { readEvent } from '../../../src/log/event-bytes.js'
import type { EventSink, EventStore } from '../../../src/log/event-store.js'
import type { Position } from '../../../src/log/position.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { eventsOfLog } from '../../controls/events.js'

const MIB = 2 ** 20
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A store of so many events, of about so many bytes each. */
async function storeOf(count: number, bytes: number): Promise<EventStore> {
  const folder = mkdtempSync(join(tmpdir(), 'makegood-ranges-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  const store = await openEmbeddedStore({ folder })
  closing.push(() => store.close())
  for (let index = 0; index < count; index += 1) {
    const event = { id: randomUUID(), type: 'T', data: Buffer.alloc(bytes, index), metadata: new Uint8Array() }
    await store.append(`s-${index % 7}`, [{ ...event, contentType: 'application/octet-stream' }], 'any')
  }
  return store
}

async function idsBetween(store: EventStore, after: Position | undefined, to: Position): Promise<string[]> {
  const ids: string[] = []
  const sink: EventSink = (_, bytes, start, end) => ids.push(readEvent(bytes, start, end).id)
  for await (const _ of store.pourAll?.(sink, { ...(after && { after }), to }) ?? []);
  return ids
}

it('cut a long log about evenly, at events, and together are the whole of it', async () => {
  const store = await storeOf(100, 0.9 * MIB)
  const events = await eventsOfLog(store)
  const to = events.at(-1)?.position as Position
  const cuts = (await store.splitAll?.(to, 4)) ?? []
  expect(cuts).toHaveLength(3)
  const ends = [...cuts, to]
  const ranges = await Promise.all(ends.map((end, index) => idsBetween(store, ends[index - 1], end)))
  expect(ranges.flat()).toEqual(events.map(({ id }) => id))
  for (const range of ranges) expect(range.length).toBeGreaterThan(20)
})

it('are as many as are worth it: one where the log, or what is asked of it, is short', async () => {
  const store = await storeOf(20, 0.9 * MIB)
  const events = await eventsOfLog(store)
  const splitUpTo = (index: number) => store.splitAll?.(events.at(index)?.position as Position, 16)
  expect(await splitUpTo(-1)).toHaveLength(1)
  expect(await splitUpTo(10)).toEqual([])
})
