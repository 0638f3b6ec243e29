// A log split by subject, folded in parts and merged, gives what one replay of the whole gives; and what does not belong together is not merged.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { v5 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { LineOrderError } from '../../src/engine/fold-lines.js'
import { PartsError } from '../../src/engine/fold-lines-merge.js'
import { hashOf } from '../../src/engine/hash.js'
import { type ReplayResult, replay } from '../../src/engine/replay.js'
import type { EventReader } from '../../src/log/event-store.js'
import { folderScratch } from '../../src/scratch/folder-scratch.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { seedFor } from '../controls/seed.js'
import { foldPartOf, mergeLines, type NumberedEvent, splitLog } from '../controls/split-log.js'
import type { StoredEvent } from '../oracle/booking-events.js'
import { atMinute } from '../oracle/histories.js'
import { hostileStore, NOW_MINUTE } from '../oracle/hostile-histories.js'
import { readerOf } from '../oracle/stored-events.js'

const PARTS = [1, 3, 16]

const folder = mkdtempSync(join(tmpdir(), 'makegood-fold-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** All that the two ways must agree on: all but the cut, which lines do not tell, and the time that it took. */
function told({ summary, findings, waiting }: ReturnType<typeof mergeLines>) {
  const { cut: _cut, elapsedMs: _elapsedMs, ...rest } = summary
  return { summary: rest, findings, waiting: [...waiting].sort() }
}

/** In another order, as an engine may give them. */
function mixed(lines: readonly string[]): string[] {
  return [...lines].sort((a, b) => hashOf(a) - hashOf(b))
}

async function inParts(reader: EventReader, parts: number, now: number) {
  const split = await splitLog(reader, parts)
  const lines = await Promise.all(split.map((part) => foldPartOf(part, booking, { now })))
  return mergeLines(mixed(lines.flat()), booking, { parts })
}

describe('a generated log', () => {
  const store = openMemoryStore()
  const workload = generate({ bookings: 1_200, seed: seedFor('fold in parts'), scenario: 'mixed' })
  const now = Date.parse(workload.marker.now)
  let whole: ReplayResult
  let three: NumberedEvent[][]
  beforeAll(async () => {
    await writeWorkload(store, workload)
    whole = await replay(store, booking, { now })
    three = await splitLog(store, 3)
  })

  it('has keys that bookings share, and findings that they hold', () => {
    expect(whole.summary.findings['ticket-number-reused']).toBeGreaterThan(0)
    expect(whole.findings.some(({ heldBy }) => heldBy?.includes('ticket-number-reused'))).toBe(true)
    expect(whole.waiting.size).toBeGreaterThan(0)
  })

  it.each(PARTS)('folded in %i parts gives the digest of one replay', async (parts) => {
    expect(told(await inParts(store, parts, now))).toEqual(told(whole))
  })

  it('gives the same under a memory limit, and leaves no scratch space behind', async () => {
    let spills = 0
    const memory = {
      bytesMax: 200_000,
      scratch: () => {
        spills += 1
        return folderScratch(folder)
      },
    }
    const lines = await Promise.all(three.map((part) => foldPartOf(part, booking, { now, memory })))
    expect(told(mergeLines(lines.flat(), booking, { memory }))).toEqual(told(whole))
    expect(spills).toBe(4)
    expect(readdirSync(folder)).toEqual([])
  })

  it('needs no numbers as one part', async () => {
    const events = three.flat().sort((a, b) => a.number - b.number)
    const lines = await foldPartOf(
      events.map(({ event }) => ({ event })),
      booking,
      { now },
    )
    expect(told(mergeLines(lines, booking))).toEqual(told(whole))
  })

  const refusal = (work: () => unknown): unknown => {
    try {
      return work()
    } catch (error) {
      return error instanceof PartsError ? `${error.kind}: ${error.message}` : error
    }
  }
  const linesOfThree = (options: { now: number }) =>
    Promise.all(three.map((part) => foldPartOf(part, booking, options)))

  it('is refused where parts are of different moments, projections or versions', async () => {
    const [first = []] = await linesOfThree({ now })
    const [, second = []] = await linesOfThree({ now: now + 1 })
    expect(refusal(() => mergeLines([...first, ...second], booking))).toMatch(/^refused: a part as of now = /)
    const other = { ...booking, version: 'another' }
    expect(refusal(() => mergeLines(first, other))).toBe(
      `refused: a part of booking ${booking.version}; this is booking another`,
    )
    expect(refusal(() => mergeLines(first, { ...booking, name: 'parcels' }))).toMatch(/^refused: a part of booking /)
  })

  it('is refused where a part is there twice', async () => {
    const [first = [], second = []] = await linesOfThree({ now })
    expect(refusal(() => mergeLines([...first, ...second, ...first], booking))).toMatch(/^refused: .* is there twice$/)
  })

  it('is refused where it was split by stream and not by subject', async () => {
    const byCategory = ['payment', 'ticket'].map((category) =>
      three.flat().filter(({ event }) => event.stream.includes(`${category}-`)),
    )
    const inOrder = byCategory.map((part) => part.sort((a, b) => a.number - b.number))
    const lines = await Promise.all(inOrder.map((part) => foldPartOf(part, booking, { now })))
    expect(refusal(() => mergeLines(lines.flat(), booking))).toMatch(/^refused: subject "B\d+" is in two parts/)
  })

  it('is not taken for whole where lines or parts are missing', async () => {
    const parts = await linesOfThree({ now })
    const all = parts.flat()
    const without = (type: string) => {
      const index = all.findIndex((line) => line.startsWith(`{"type":"${type}"`))
      return all.filter((_, at) => at !== index)
    }
    expect(refusal(() => mergeLines(without('subject'), booking))).toMatch(/^broken: the parts tell of \d+ lines/)
    expect(refusal(() => mergeLines(without('part'), booking))).toMatch(/^broken: the parts tell of \d+ lines/)
    expect(refusal(() => mergeLines([...(parts[0] ?? []), ...(parts[1] ?? [])], booking, { parts: 3 }))).toBe(
      'broken: 3 parts are expected, and 2 are there',
    )
    expect(refusal(() => mergeLines([], booking))).toMatch(/^broken: no part is there whole/)
  })

  it('is refused in several parts without numbers', async () => {
    const lines = await Promise.all(
      three.map((part) =>
        foldPartOf(
          part.map(({ event }) => ({ event })),
          booking,
          { now },
        ),
      ),
    )
    expect(refusal(() => mergeLines(lines.flat(), booking))).toMatch(/^refused: several parts, whose lines were not /)
  })

  it.each([
    ['broken JSON', '{"type":"part"', 'not valid JSON in UTF-8'],
    ['another kind of line', '{"type":"finding"}', 'no result line: type: '],
    ['a later format', '{"type":"part","format":2}', 'no result line: format: '],
    [
      'a finding without an id',
      '{"type":"subject","subject":"a","ordinal":0,"revisions":{},"findings":[{}],"uses":[]}',
      'no result line: findings.0: ',
    ],
  ])('refuses %s', (_, line, why) => {
    expect(String(refusal(() => mergeLines([line], booking)))).toContain(`broken: ${why}`)
  })

  it('takes no line out of its order, and none without a number among numbered ones', async () => {
    const [[first, second]] = three as [NumberedEvent[]]
    const wrong = (...events: unknown[]) => foldPartOf(events as NumberedEvent[], booking, { now })
    await expect(wrong(second, first)).rejects.toThrow(LineOrderError)
    await expect(wrong(first, first)).rejects.toThrow(/comes after/)
    await expect(wrong(first, { event: second?.event })).rejects.toThrow(/some lines are numbered/)
  })
})

const NAMESPACE = '7d9a4c02-6a2e-4f0e-9a66-0d4f1f3c5b11'

/** Many hostile stores as one, which share what few ticket numbers they have. */
function together(stores: readonly (readonly StoredEvent[])[]): StoredEvent[] {
  const renamed = stores.flatMap((events, index) =>
    events.map((event): StoredEvent => {
      const text = JSON.stringify(event).replaceAll(/\bb([01])\b/g, `s${index}b$1`)
      return { ...(JSON.parse(text) as StoredEvent), id: v5(`${index} ${event.id}`, NAMESPACE) }
    }),
  )
  return interleaved(renamed)
}

/** Streams of different bookings mixed with each other, each in its order. */
function interleaved(events: readonly StoredEvent[]): StoredEvent[] {
  const byBooking = new Map<string, StoredEvent[]>()
  for (const event of events) {
    const name = event.stream.split('-')[1] ?? ''
    byBooking.set(name, [...(byBooking.get(name) ?? []), event])
  }
  const turns = [...byBooking.values()].flatMap((own) => own.map((event, turn) => ({ event, turn })))
  return turns.sort((a, b) => a.turn - b.turn).map(({ event }) => event)
}

/** Events that belong to nobody, or to another domain. */
const STRAY: readonly StoredEvent[] = ['payment-', 'parcel-1', 'payment'].map((stream, index) => ({
  stream,
  revision: 0,
  id: v5(`stray ${index}`, NAMESPACE),
  type: 'PaymentCaptured',
  data: { captureId: 'c1' },
  metadata: { $correlationId: 'x' },
  created: undefined,
}))

describe('hostile logs', () => {
  it('folded in parts give what one replay gives', async () => {
    const seed = seedFor('hostile logs in parts')
    const now = Date.parse(atMinute(NOW_MINUTE))
    const logs = fc.array(hostileStore, { minLength: 1, maxLength: 12 }).map(together)
    let [gaps, undecodable, reused] = [0, 0, 0]
    await fc.assert(
      fc.asyncProperty(logs, fc.constantFrom(...PARTS), async (events, parts) => {
        const reader = readerOf([...STRAY, ...events])
        const whole = await replay(reader, booking, { now })
        expect(told(await inParts(reader, parts, now))).toEqual(told(whole))
        gaps += whole.summary.coverage.gaps
        undecodable += whole.summary.coverage.undecodable
        reused += whole.summary.findings['ticket-number-reused'] ?? 0
      }),
      { numRuns: 300, seed },
    )
    process.stdout.write(`hostile logs in parts: ${gaps} gaps, ${undecodable} undecodable, ${reused} reused numbers\n`)
    expect(Math.min(gaps, undecodable, reused)).toBeGreaterThan(0)
  })
})
