// A log out and back: nothing differs but positions, whatever the log holds and however the way back is broken off.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { ProposedEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import type { RestorableStore } from '../../src/log/restorable-store.js'
import { markStore, readStoreMarker, type StoreMarker } from '../../src/log/store-marker.js'
import { metadataStreamOf } from '../../src/log/stream.js'
import { checkFolder } from '../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { anEvent, eventsOf, someEvents } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'
import { eventsIn, importInto, linesOf, withoutRestore } from './moving.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-moving-'))
afterAll(() => rmSync(folder, { recursive: true }))

const newFolder = () => mkdtempSync(join(folder, 'store-'))
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

type Step =
  | { readonly kind: 'append'; readonly stream: string; readonly events: readonly ProposedEvent[] }
  | { readonly kind: 'metadata'; readonly stream: string; readonly json: string }
  | { readonly kind: 'delete'; readonly stream: string }
  | { readonly kind: 'tombstone'; readonly stream: string }

async function carryOut(store: EventStore, step: Step): Promise<void> {
  const { stream } = step
  if (step.kind === 'append') await store.append(stream, step.events, 'any')
  if (step.kind === 'delete') await store.deleteStream(stream, 'any')
  if (step.kind === 'tombstone') await store.tombstone(stream, 'any')
  if (step.kind !== 'metadata') return
  await store.append(metadataStreamOf(stream), [anEvent({ type: '$metadata', data: bytes(step.json) })], 'any')
}

const wellFormed = (unit: 'grapheme' | 'binary') =>
  fc.string({ unit, minLength: 1, maxLength: 12 }).filter((text) => !/\p{Surrogate}/u.test(text) && text !== '$$')
const streamName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('payment-1', 'ticket-1', '__proto__', '$ce-payment', 'a-\u2028\r\n"', '-') },
  { weight: 1, arbitrary: wellFormed('binary') },
  { weight: 1, arbitrary: fc.constant(`payment-${'ü'.repeat(1_500)}`) },
)
const content = fc.oneof(
  fc.constant(bytes('')),
  fc.constant(bytes('{"amount":9007199254740993,"x":1.0e2,"x":1E400}')),
  fc.uint8Array({ maxLength: 60 }),
  fc.jsonValue().map((value) => bytes(JSON.stringify(value))),
  fc.jsonValue().map((value) => bytes(JSON.stringify(value, null, 2))),
)
const event: fc.Arbitrary<ProposedEvent> = fc.record({
  id: fc.uuid(),
  type: fc.oneof(fc.constantFrom('$>', '$metadata', 'Paid'), wellFormed('grapheme')),
  contentType: fc.constantFrom('application/json', 'application/octet-stream'),
  data: content,
  metadata: content,
})
const limits = fc.constantFrom('{"$maxCount":2}', '{"$tb":2}', '{"$maxAge":1}', '{"$tb":9223372036854775807}', 'none')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append'),
      stream: streamName,
      events: fc.array(event, { maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('metadata'), stream: streamName, json: limits }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('delete', 'tombstone'), stream: streamName }) as fc.Arbitrary<Step>,
  },
)

describe('a log out of the embedded store and into another', () => {
  test('gives the same lines, reads the same, and is sound; again adds nothing', async () => {
    const seed = seedFor('round trip')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const clock = () => 1_800_000_000_000
        const first = await openEmbeddedStore({ folder: newFolder(), clock })
        for (const one of steps) await carryOut(first, one)
        const lines = await linesOf(first)
        const copyFolder = newFolder()
        const copy = await openEmbeddedStore({ folder: copyFolder, clock })
        expect(await importInto(copy, lines)).toEqual({ added: lines.length, present: 0, gaps: 0 })
        expect(await importInto(copy, lines)).toEqual({ added: 0, present: lines.length, gaps: 0 })
        expect(await linesOf(copy)).toEqual(lines)
        for (const { stream } of steps) expect(await reading(copy, stream)).toEqual(await reading(first, stream))
        await first.close()
        await copy.close()
        if (lines.length > 0)
          expect(await checkFolder(copyFolder)).toMatchObject({ events: lines.length, problems: [] })
      }),
      { seed, numRuns: 60 },
    )
  })

  test('goes on from any line where it was broken off, and ends the same', async () => {
    const seed = seedFor('broken off')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), fc.nat(), async (steps, cut) => {
        const first = openMemoryStore()
        for (const one of steps) await carryOut(first, one)
        const lines = await linesOf(first)
        const end = cut % (lines.length + 1)
        const copy = openMemoryStore()
        await importInto(copy, lines.slice(0, end))
        const rest = { added: lines.length - end, present: end }
        expect(await importInto(copy, lines)).toMatchObject(rest)
        expect(await linesOf(copy)).toEqual(lines)
      }),
      { seed, numRuns: 100 },
    )
  })
})

/** What a reader sees of a stream. */
async function reading(store: EventStore, stream: string) {
  const { kind } = await store.readStream(stream)
  if (kind !== 'found') return kind
  return (await eventsOf(store, stream)).map(({ id, revision, created }) => `${revision} ${id} ${created}`)
}

describe('an import stops', () => {
  const source = async () => {
    const store = openMemoryStore()
    for (const stream of ['a', 'b', 'a', 'c']) await store.append(stream, someEvents(1), 'any')
    return linesOf(store)
  }

  test('before a line that is broken, with all before it imported, and goes on when it is mended', async () => {
    const lines = await source()
    const store = openMemoryStore()
    const spoiled = lines.with(2, (lines[2] as string).slice(0, -3))
    expect(await importInto(store, spoiled)).toEqual({
      added: 2,
      present: 0,
      gaps: 0,
      stopped: { kind: 'broken', file: 'log', line: 3, why: 'not valid JSON' },
    })
    expect(await linesOf(store)).toEqual(lines.slice(0, 2))
    expect(await importInto(store, lines)).toEqual({ added: 2, present: 2, gaps: 0 })
  })

  test('before an event at whose place another one stands, by its name', async () => {
    const lines = await source()
    const store = openMemoryStore()
    await store.append('a', someEvents(2), 'any')
    await importInto(store, [lines[1] as string])
    const result = await importInto(store, [lines[1] as string, lines[3] as string, ...lines])
    expect(result).toMatchObject({ added: 1, present: 1, stopped: { kind: 'refused', file: 'log', line: 3 } })
    expect(result.stopped?.why).toMatch(/^a@0: another event stands there: its id, /)
    expect(eventsIn(await linesOf(store)).map(({ stream }) => stream)).toEqual(['a', 'a', 'b', 'c'])
  })

  test('where it is interrupted, behind what was taken up', async () => {
    const lines = await source()
    const store = openMemoryStore()
    const result = await importInto(store, lines, AbortSignal.abort())
    expect(result).toMatchObject({ added: 0, stopped: { kind: 'interrupted', line: 1 } })
    expect(await importInto(store, lines)).toMatchObject({ added: 4 })
  })

  test('passes over blank lines, which carry nothing', async () => {
    const lines = await source()
    expect(await importInto(openMemoryStore(), ['', ...lines, ' \t'])).toEqual({ added: 4, present: 0, gaps: 0 })
  })
})

test('holes of a log are counted, and come out as they went in', async () => {
  const store = openMemoryStore()
  await store.append('a', someEvents(6), 'any')
  const lines = await linesOf(store)
  const scavenged = [1, 2, 5].map((index) => lines[index] as string)
  const copy = await openEmbeddedStore({ folder: newFolder() })
  expect(await importInto(copy, scavenged)).toEqual({ added: 3, present: 0, gaps: 2 })
  expect(await linesOf(copy)).toEqual(scavenged)
  await copy.close()
})

describe('generated events and real ones are kept apart', () => {
  const MARKER: StoreMarker = { generated: true, now: '2026-06-01T12:00:00Z', scenario: 'mixed', seed: 1, bookings: 1 }
  const marked = async () => {
    const store = openMemoryStore()
    await markStore(store, MARKER, randomUUID())
    await store.append('payment-1', someEvents(2), 'any')
    return store
  }
  const real = async (stream: string) => {
    const store = openMemoryStore()
    await store.append(stream, someEvents(2), 'any')
    return store
  }

  test.each<[string, (store: RestorableStore) => EventStore]>([
    ['restored', (store) => store],
    ['appended', withoutRestore],
  ])('%s', async (_, as) => {
    const [generated, other] = [await marked(), await real('payment-2')]
    const [generatedLines, realLines] = [await linesOf(generated), await linesOf(other)]
    const refused = async (store: RestorableStore, lines: readonly string[]) => {
      const before = await linesOf(store)
      const { added, stopped } = await importInto(as(store), lines)
      expect([added, stopped?.kind, (await linesOf(store)).length]).toEqual([0, 'refused', before.length])
      return stopped?.why
    }
    expect(await refused(generated, realLines)).toContain('marked as generated')
    expect(await refused(other, generatedLines)).toContain('it would mark a store that holds other events')
    const mixed = openMemoryStore()
    const result = await importInto(as(mixed), [...realLines, ...generatedLines])
    expect(result).toMatchObject({ added: 2, stopped: { kind: 'refused', line: 3 } })
    expect(await readStoreMarker(mixed)).toBeUndefined()
    const copy = as(openMemoryStore())
    expect((await importInto(copy, generatedLines)).stopped).toBeUndefined()
    expect(await importInto(copy, [...generatedLines, ...generatedLines])).toMatchObject({ added: 0, present: 6 })
    expect(await readStoreMarker(copy)).toEqual(MARKER)
  })
})
