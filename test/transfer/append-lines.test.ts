// Lines into a store that only takes appends: in order behind guards, each loss counted, nothing twice, nothing put behind others' events.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseEventLine } from '../../src/log/event-line.js'
import type { EventStore } from '../../src/log/event-store.js'
import { metadataStreamOf } from '../../src/log/stream.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { anEvent, eventsOf, eventsOfLog, someEvents, textOf } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'
import { eventsIn, importInto, linesOf, withoutRestore } from './moving.js'

const NO_LOSSES = {
  timesMoved: 0,
  timesLost: 0,
  renumbered: 0,
  metadataChanged: 0,
  tombstonesRenewed: 0,
  systemEvents: 0,
}
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const metadataEvent = (value: unknown) => anEvent({ type: '$metadata', data: json(value) })
const metadataTextOf = (event: { metadata: Uint8Array }) => textOf({ data: event.metadata })

function server(): EventStore {
  return withoutRestore(openMemoryStore())
}

/** The revisions and ids of a stream. */
async function contentOf(store: EventStore, stream: string) {
  return (await eventsOf(store, stream)).map(({ revision, id }) => [revision, id])
}

test('keeps ids, revisions, types and bytes, and the time in the metadata before what stands there', async () => {
  const source = openMemoryStore({ clock: () => Date.parse('2026-05-01T10:00:00.123Z') })
  const events = [
    anEvent({ data: json({ big: 'x' }) }),
    anEvent({ metadata: new TextEncoder().encode('{ "$correlationId":9007199254740993 }') }),
    anEvent({ metadata: new TextEncoder().encode('{}') }),
    anEvent({ metadata: Uint8Array.of(1, 2) }),
  ]
  for (const event of events) await source.append('payment-1', [event], 'any')
  const store = server()
  const lines = await linesOf(source)
  expect(await importInto(store, lines)).toEqual({
    added: 4,
    present: 0,
    gaps: 0,
    losses: { ...NO_LOSSES, timesMoved: 3, timesLost: 1 },
  })
  const time = '"makegood.created":"2026-05-01T10:00:00.1230000Z"'
  const copies = await eventsOf(store, 'payment-1')
  expect(copies.map(({ id, type, data }) => ({ id, type, data }))).toEqual(
    events.map(({ id, type, data }) => ({ id, type, data })),
  )
  expect(copies.slice(0, 3).map(metadataTextOf)).toEqual([
    `{${time}}`,
    `{${time}, "$correlationId":9007199254740993 }`,
    `{${time}}`,
  ])
  expect(copies[3]?.metadata).toEqual(Uint8Array.of(1, 2))
  expect(await importInto(store, lines)).toEqual({ added: 0, present: 4, gaps: 0, losses: NO_LOSSES })
})

test('the time of a copy of a copy is the first one', async () => {
  const source = openMemoryStore({ clock: () => Date.parse('2020-01-01T00:00:00Z') })
  await source.append('a', someEvents(1), 'any')
  const middle = server()
  await importInto(middle, await linesOf(source))
  const last = server()
  await importInto(last, await linesOf(middle))
  expect((await eventsOf(last, 'a')).map(metadataTextOf)).toEqual([
    '{"makegood.created":"2020-01-01T00:00:00.0000000Z"}',
  ])
})

test('keeps the order of streams that belong together', async () => {
  const source = openMemoryStore()
  for (let round = 0; round < 20; round += 1) {
    for (const stream of ['payment-1', 'payment-1', 'ticket-1', '$$payment-1']) {
      await source.append(stream, [stream.startsWith('$') ? metadataEvent({ round }) : anEvent()], 'any')
    }
  }
  const store = server()
  await importInto(store, await linesOf(source))
  const order = async (reader: EventStore) => (await eventsOfLog(reader)).map(({ id }) => id)
  expect(await order(store)).toEqual(await order(source))
})

test("leaves out a server's own streams, and says how many events they have", async () => {
  const source = openMemoryStore()
  for (const stream of ['$ce-payment', '$$$stats', 'payment-1', '$$payment-1']) {
    await source.append(stream, [anEvent()], 'any')
  }
  const store = server()
  expect(await importInto(store, await linesOf(source))).toMatchObject({ added: 2, losses: { systemEvents: 2 } })
})

test('deletes softly, takes up again and tombstones as the log did', async () => {
  const source = openMemoryStore()
  await source.append('a', someEvents(3), 'any')
  await source.deleteStream('a', 'any')
  await source.append('a', someEvents(2), 'any')
  await source.append('b', someEvents(2), 'any')
  await source.tombstone('b', 'any')
  await source.append('c', someEvents(1), 'any')
  await source.deleteStream('c', 'any')
  const lines = await linesOf(source)
  const store = server()
  const result = await importInto(store, lines)
  expect(result.stopped).toBeUndefined()
  expect(result).toMatchObject({ losses: { tombstonesRenewed: 1, metadataChanged: 1, renumbered: 0 } })
  expect(await contentOf(store, 'a')).toEqual(await contentOf(source, 'a'))
  expect(await store.readStream('b')).toEqual({ kind: 'tombstoned' })
  expect(await store.readStream('c')).toEqual({ kind: 'missing' })
  expect(await importInto(store, lines)).toMatchObject({ added: 0, present: lines.length })
})

/** The lines of a log as a server keeps them that has scavenged what its limits hide. */
async function scavengedLines(): Promise<string[]> {
  const source = openMemoryStore()
  await source.append('a', someEvents(5), 'any')
  await source.append(metadataStreamOf('a'), [metadataEvent({ $maxCount: 100 })], 'any')
  await source.append('a', someEvents(2), 'any')
  await source.append(metadataStreamOf('a'), [metadataEvent({ $maxCount: 50 })], 'any')
  await source.append('a', someEvents(3), 'any')
  await source.append(metadataStreamOf('a'), [metadataEvent({ $tb: 6, $maxCount: 50 })], 'any')
  const gone = new Set(['a@0', 'a@1', 'a@2', 'a@3', 'a@4', 'a@6', '$$a@0'])
  const lines = await linesOf(source)
  return lines.filter((line) => eventsIn([line]).every(({ stream, revision }) => !gone.has(`${stream}@${revision}`)))
}

test('counts a stream with holes and a late beginning from 0, keeps its revisions in metadata, and moves its $tb with it', async () => {
  const lines = await scavengedLines()
  const store = server()
  const result = await importInto(store, lines)
  expect(result).toMatchObject({ added: 6, losses: { renumbered: 6, metadataChanged: 1 } })
  expect(result.stopped).toBeUndefined()
  const copies = await eventsOf(store, 'a')
  const originals = eventsIn(lines).filter(({ stream, revision }) => stream === 'a' && revision >= 7)
  expect(copies.map(({ id }) => id)).toEqual(originals.map(({ id }) => id))
  expect(copies.map((copy) => JSON.parse(metadataTextOf(copy))['makegood.revision'])).toEqual([7, 8, 9])
  expect((await eventsOf(store, '$$a')).map(textOf)).toEqual(['{"$tb":1,"$maxCount":50}'])
})

test('adds nothing when such a stream is imported again, and goes on from wherever it was broken off', async () => {
  const lines = await scavengedLines()
  for (let end = 0; end <= lines.length; end += 1) {
    const store = server()
    await importInto(store, lines.slice(0, end))
    const result = await importInto(store, lines)
    expect([end, result.stopped, result.added, result.present]).toEqual([end, undefined, lines.length - end, end])
    expect((await eventsOfLog(store)).map(({ id }) => id)).toEqual(eventsIn(lines).map(({ id }) => id))
  }
})

test('finds again what stands lower than its line says, where the stream is exactly as long as the line would have it', async () => {
  const source = openMemoryStore()
  await source.append('a', someEvents(10), 'any')
  const lines = (await linesOf(source)).slice(5)
  const store = server()
  expect(await importInto(store, lines)).toMatchObject({ added: 5, losses: { renumbered: 5 } })
  expect(await importInto(store, lines)).toMatchObject({ added: 0, present: 5 })
  expect(await contentOf(store, 'a')).toEqual(eventsIn(lines).map(({ id }, index) => [index, id]))
})

test('adds an event once that comes twice, as in a file given twice', async () => {
  const source = openMemoryStore()
  await source.append('a', someEvents(3), 'any')
  const lines = await linesOf(source)
  for (const part of [lines, lines.slice(1), lines.slice(2)]) {
    const store = server()
    expect(await importInto(store, [...part, ...part])).toMatchObject({ added: part.length })
    expect(await contentOf(store, 'a')).toEqual(eventsIn(part).map(({ id }, index) => [index, id]))
  }
})

test.each([1, 4, 7])('puts nothing behind %i events that others wrote', async (count) => {
  const source = openMemoryStore()
  await source.append('a', someEvents(6), 'any')
  const lines = (await linesOf(source)).slice(4)
  const store = server()
  await store.append('a', someEvents(count), 'any')
  const { added, stopped } = await importInto(store, lines)
  expect([added, stopped?.kind]).toEqual([0, 'refused'])
  expect(await eventsOf(store, 'a')).toHaveLength(count)
})

test('refuses a place where another event stands, by name', async () => {
  const source = openMemoryStore()
  await source.append('a', someEvents(2), 'any')
  const store = server()
  const [other] = someEvents(1)
  await store.append('a', other ? [other] : [], 'any')
  expect(await importInto(store, await linesOf(source))).toMatchObject({
    added: 0,
    stopped: { kind: 'refused', line: 1, why: `a@0: another event stands there: ${other?.id}` },
  })
})

test('stops where the store refuses, and the lines behind it in its stream are not written', async () => {
  const source = openMemoryStore({ maxAppendBytes: 10 })
  for (const length of [3, 9, 3]) await source.append('a', [anEvent({ data: new Uint8Array(length) })], 'any')
  const store = withoutRestore(openMemoryStore({ maxAppendBytes: 5 }))
  const { added, stopped } = await importInto(store, await linesOf(source))
  expect([added, stopped?.kind, stopped?.line]).toEqual([1, 'refused', 2])
  expect(await eventsOf(store, 'a')).toHaveLength(1)
})

test('refuses an event that would stand where the metadata before it hides it', async () => {
  const source = openMemoryStore()
  await source.append(metadataStreamOf('a'), [metadataEvent({ $tb: 5 })], 'any')
  await source.append('a', someEvents(6), 'any')
  const lines = await linesOf(source)
  const store = server()
  const { added, stopped } = await importInto(store, [lines[0], lines.at(-1)] as string[])
  expect([added, stopped?.line, stopped?.why]).toEqual([1, 2, expect.stringContaining('($tb) hides it')])
  expect(await store.readStream('a')).toEqual({ kind: 'missing' })
})

test('refuses the events of a stream that is deleted for ever there and not in the log', async () => {
  const source = openMemoryStore()
  for (const stream of ['b', 'a', 'a', 'c']) await source.append(stream, someEvents(1), 'any')
  const lines = await linesOf(source)
  const store = server()
  await store.tombstone('a', 'any')
  const { added, stopped } = await importInto(store, lines)
  expect([added, stopped]).toEqual([
    2,
    { kind: 'refused', file: 'log', line: 2, why: 'a@0: the stream is deleted for ever' },
  ])
})

test('makes the identical request again where the outcome is not known', async () => {
  const source = openMemoryStore()
  await source.append('a', someEvents(2), 'any')
  const inner = openMemoryStore()
  let calls = 0
  const store = new Proxy(withoutRestore(inner), {
    get(target, name) {
      if (name !== 'append') return Reflect.get(target, name)
      return async (...args: Parameters<EventStore['append']>) => {
        const result = await inner.append(...args)
        calls += 1
        return calls % 2 === 1 ? { kind: 'unknown', message: 'the line was cut' } : result
      }
    },
  })
  expect(await importInto(store, await linesOf(source))).toMatchObject({ added: 2 })
  expect(await eventsOf(inner, 'a')).toHaveLength(2)
})

test('a mark of an earlier copy is replaced, its other bytes kept', async () => {
  const source = openMemoryStore()
  const metadata = new TextEncoder().encode('{"a": 1,"makegood.revision":77, "b":2}')
  await source.append('a', [anEvent(), anEvent({ metadata })], 'any')
  const [, line] = await linesOf(source)
  const parsed = parseEventLine(line as string)
  const store = server()
  await importInto(store, [line as string])
  const [copy] = await eventsOf(store, 'a')
  expect(parsed.kind).toBe('event')
  expect(metadataTextOf(copy as { metadata: Uint8Array })).toMatch(
    /^\{"makegood.created":"[^"]+","a": 1,"makegood.revision":1, "b":2\}$/,
  )
})

test('whatever a scavenge left out and wherever an import was broken off, nothing is there twice and nothing is passed over', async () => {
  const stream = fc.constantFrom('payment-1', 'ticket-1', 'b')
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant('append'), stream) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('delete', '$maxCount', '$tb'), stream) },
  )
  const steps = fc.array(step, { minLength: 3, maxLength: 40 })
  let wholeCount = 0
  await fc.assert(
    fc.asyncProperty(steps, fc.array(fc.nat(4)), fc.nat(), async (made, kept, cut) => {
      const source = openMemoryStore()
      for (const [kind, name] of made) {
        if (kind === 'append') await source.append(name, someEvents(2), 'any')
        else if (kind === 'delete') await source.deleteStream(name, 'any')
        else await source.append(metadataStreamOf(name), [metadataEvent({ [kind]: 1 })], 'any')
      }
      const lines = (await linesOf(source)).filter((_, index) => kept[index] !== 0)
      const store = server()
      await importInto(store, lines.slice(0, cut % (lines.length + 1)))
      const { stopped } = await importInto(store, lines)
      const again = await importInto(store, [...lines, ...lines])
      const ids = (await eventsOfLog(store)).map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
      if (stopped) return
      wholeCount += 1
      expect(again).toMatchObject({ added: 0 })
      const events = eventsIn(lines).filter(({ type }) => type !== '$metadata')
      expect(ids).toEqual(expect.arrayContaining(events.map(({ id }) => id)))
    }),
    { seed: seedFor('scavenged logs'), numRuns: 300 },
  )
  expect(wholeCount).toBeGreaterThan(150)
})
