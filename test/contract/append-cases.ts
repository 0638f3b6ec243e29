// The tables of append outcomes as they were observed on EventStoreDB 24.6.0, and how one cell is tried. A row is the ids sent,
// then one outcome for each guard: I2 a retry of what stands up to revision 2, nothing written; A appended; U appended, undeleted;
// W conflict; D stream deleted; ok nothing to write. Letters are ids; the stream was given a, b, c.
import { expect } from 'vitest'
import type { RecordedEvent } from '../../src/log/event.js'
import type { AppendResult, EventStore } from '../../src/log/event-store.js'
import type { ExpectedRevision } from '../../src/log/revision.js'
import { eventsOf, Letters, uniqueStream } from '../controls/events.js'

const GUARDS: readonly ExpectedRevision[] = ['any', 'streamExists', 'noStream', 0, 2, 3]

/** One cell: these ids, under this guard, give that. */
export interface AppendCase {
  readonly ids: string
  readonly expected: ExpectedRevision
  readonly outcome: string
}

/** The cells of a table that is written as lines `ids outcome outcome …`; `-` are no ids. */
export function casesOf(table: string): AppendCase[] {
  const rows = table.trim().split('\n')
  return rows.flatMap((row) => {
    const [ids = '', ...outcomes] = row.trim().split(/\s+/)
    return GUARDS.map((expected, i) => ({ ids: ids === '-' ? '' : ids, expected, outcome: outcomes[i] ?? 'none' }))
  })
}

//                          any  exists noStr 0   2  3
export const LIVE = casesOf(`
  abc   I2   I2   I2   W   A   W
  ab    I1   I1   I1   W   A   W
  bc    I2   I2   W    I2  A   W
  abcd  W    W    W    W   A   W
  xb    A    A    W    W   A   W
  d     A    A    W    W   A   W
  aa    I0   I0   W    W   A   W
  dd    A    A    W    W   A   W
  abc*  I2   I2   I2   W   A   W
  -     ok   ok   W    W   ok  W
`)

/** The ids are no longer in the cache. */
export const RESTARTED = casesOf(`
  abc   A    A    I2   W   A   W
  ab    A    A    I1   W   A   W
  bc    A    A    W    I2  A   W
  abcd  A    A    W    W   A   W
  xb    A    A    W    W   A   W
  d     A    A    W    W   A   W
  aa    A    A    W    W   A   W
  dd    A    A    W    W   A   W
  abc*  A    A    I2   W   A   W
  -     ok   ok   W    W   ok  W
`)

export const SOFT_DELETED = casesOf(`
  abc   I2   D    I2   W   U   W
  ab    I1   D    I1   W   U   W
  bc    I2   D    U    I2  U   W
  abcd  W    D    W    W   U   W
  xb    U    D    U    W   U   W
  d     U    D    U    W   U   W
  aa    I0   D    W    W   U   W
  dd    U    D    U    W   U   W
  abc*  I2   D    I2   W   U   W
  -     ok   D    W    W   ok  W
`)

/** Only the last event is readable; the others are there for guards and ids. */
export const MAX_COUNT_1 = LIVE

export const TOMBSTONED = casesOf(`
  abc   D    D    D    D   D   D
  d     D    D    D    D   D   D
  -     D    D    D    D   D   D
`)

/** Nothing of it was appended before. */
export const MISSING = casesOf(`
  abc   A    W    A    W   W   W
  d     A    W    A    W   W   W
  dd    A    W    A    W   W   W
  -     ok   W    ok   W   W   W
`)

export const METADATA_ONLY = casesOf(`
  d     A    A    A    W   W   W
  -     ok   ok   ok   W   W   W
`)

/** What a stream is before the cell is tried, and how much of it can be read. */
export interface Start {
  /** Brings a stream into its state; it was given nothing yet. */
  readonly prepare: (store: EventStore, stream: string, letters: Letters) => Promise<void>
  /** The head's revision, -1 where there is none. */
  readonly head: number
  /** The first revision that can be read, or none can. */
  readonly readableFrom: number
  /** Only so many of the last events can be read; default all. */
  readonly keeps?: number
}

/** A stream brought into its state, with what a trial needs to know of it. */
export interface Prepared {
  readonly stream: string
  readonly letters: Letters
  readonly before: readonly RecordedEvent[]
}

export async function prepareStream(store: EventStore, start: Start): Promise<Prepared> {
  const [stream, letters] = [uniqueStream(), new Letters()]
  await start.prepare(store, stream, letters)
  return { stream, letters, before: await readable(store, stream) }
}

/** Tries one cell and looks at the answer and at what the stream holds then. */
export async function tryAppend(
  store: EventStore,
  { stream, letters, before }: Prepared,
  { start, cell }: { start: Start; cell: AppendCase },
): Promise<void> {
  const result = await store.append(stream, letters.events(cell.ids), cell.expected)
  const after = await readable(store, stream)
  const sent = [...cell.ids.replace('*', '')]
  switch (cell.outcome[0]) {
    case 'I':
      expectRetry(result, { revision: Number(cell.outcome.slice(1)), before, start })
      break
    case 'A':
    case 'U':
      return expectAppended(result, { letters, sent, before, after, start })
    case 'o':
      expect(result).toMatchObject({ kind: 'appended' })
      expect('revision' in result ? result.revision : undefined).toBe(start.head < 0 ? undefined : start.head)
      break
    case 'W':
      expect(result).toEqual({ kind: 'conflict', actual: start.head < 0 ? 'noStream' : start.head })
      break
    default:
      expect(result).toMatchObject({ kind: 'refused', reason: 'stream-deleted' })
  }
  expect(after).toEqual(before)
}

function expectRetry(
  result: AppendResult,
  { revision, before, start }: { revision: number; before: readonly RecordedEvent[]; start: Start },
): void {
  const original = before.find((event) => event.revision === revision)
  expect(result).toMatchObject({ kind: 'appended', revision })
  expect('position' in result ? result.position : undefined).toEqual(original?.position)
  expect(original !== undefined).toBe(revision >= start.readableFrom)
}

function expectAppended(
  result: AppendResult,
  trial: {
    letters: Letters
    sent: readonly string[]
    before: readonly RecordedEvent[]
    after: readonly RecordedEvent[]
    start: Start
  },
): void {
  const { letters, sent, before, after, start } = trial
  const { head, keeps = Number.POSITIVE_INFINITY } = start
  expect(result).toMatchObject({ kind: 'appended', revision: head + sent.length })
  expect('position' in result ? result.position : undefined).toEqual(after.at(-1)?.position)
  const added = sent.map((letter, i) => `${letter}@${head + 1 + i}`)
  const all = [...before.map((event) => letters.describe([event])), ...added]
  expect(letters.describe(after)).toBe(all.slice(Math.max(0, all.length - keeps)).join(' '))
}

/** The readable events of a stream; none where it is missing or tombstoned. */
async function readable(store: EventStore, stream: string): Promise<RecordedEvent[]> {
  const read = await store.readStream(stream)
  return read.kind === 'found' ? eventsOf(store, stream) : []
}
