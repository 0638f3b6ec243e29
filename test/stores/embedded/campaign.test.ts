// Random commands on the embedded store, restarts among them, with the memory store as the model: every answer and all that can be
// read are the same.
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonEvent, type ProposedEvent, type RecordedEvent } from '../../../src/log/event.js'
import type {
  AppendResult,
  DeleteResult,
  Direction,
  EventStore,
  ReadStreamOptions,
} from '../../../src/log/event-store.js'
import type { Position } from '../../../src/log/position.js'
import { formatPosition } from '../../../src/log/position.js'
import type { ExpectedRevision } from '../../../src/log/revision.js'
import { metadataStreamOf } from '../../../src/log/stream.js'
import { checkFolder } from '../../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { eventsOfLog, gather, textOf } from '../../controls/events.js'
import { seedFor } from '../../controls/seed.js'

type Command =
  | {
      readonly kind: 'append'
      readonly stream: string
      readonly ids: readonly Id[]
      readonly expected: ExpectedRevision
    }
  | { readonly kind: 'metadata'; readonly stream: string; readonly text: string }
  | { readonly kind: 'delete' | 'tombstone'; readonly stream: string; readonly expected: ExpectedRevision }
  | { readonly kind: 'read'; readonly stream: string; readonly options: ReadStreamOptions }
  | { readonly kind: 'readAll'; readonly at: number; readonly direction: Direction; readonly maxCount: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'reopen' }

/** An id by its letter, and how many restarts ago its like was first to be had. */
interface Id {
  readonly letter: string
  readonly age: number
}

const LONG_NAME = `long-${'n'.repeat(2_500)}`
const streams = fc.constantFrom('a-1', 'a-2', 'b-1', 'b-10', LONG_NAME, metadataStreamOf('a-1'))
const guards: fc.Arbitrary<ExpectedRevision> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<ExpectedRevision>('any', 'noStream', 'streamExists') },
  { weight: 3, arbitrary: fc.nat({ max: 8 }) },
)
const ids = fc.record({ letter: fc.constantFrom(...'abcdefghijkl'), age: fc.nat({ max: 2 }) })
const metadata = fc.constantFrom(
  '{"$maxCount":2}',
  '{"$tb":1}',
  '{"$tb":4,"owner":"x"}',
  '{"$maxAge":60}',
  '{"$maxCount":3,"$maxAge":120}',
  '{"owner":"y"}',
  '{"$tb":9223372036854775807}',
  'no JSON',
)
const direction = fc.constantFrom<Direction>('forwards', 'backwards')
const from = fc.oneof(fc.constantFrom('start' as const, 'end' as const), fc.nat({ max: 9 }))

const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      stream: streams,
      ids: fc.array(ids, { maxLength: 4 }),
      expected: guards,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('metadata' as const), stream: streams, text: metadata }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), stream: streams, expected: guards }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      stream: streams,
      options: fc.record({ direction, from, maxCount: fc.nat({ max: 5 }) }, { requiredKeys: [] }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('readAll' as const),
      at: fc.nat({ max: 40 }),
      direction,
      maxCount: fc.nat({ max: 10 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 90_000 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('tombstone' as const),
      stream: fc.constantFrom('b-1', 'b-10', metadataStreamOf('a-1')),
      expected: guards,
    }),
  },
)

test('random commands have the same answers on the embedded store and on the model', async () => {
  const property = fc.asyncProperty(fc.array(commands, { minLength: 10, maxLength: 60, size: 'max' }), async (list) => {
    const campaign = await Campaign.begin()
    try {
      for (const command of list) await campaign.run(command)
      await campaign.compareAll()
    } finally {
      await campaign.end()
    }
  })
  await fc.assert(property, { seed: seedFor('campaign'), numRuns: 60 })
}, 120_000)

/** The two stores side by side, under one clock. */
class Campaign {
  readonly #folder: string
  readonly #clock = () => this.#now
  readonly #model = openMemoryStore({ clock: this.#clock })
  #embedded: EventStore | undefined
  #now = 1_700_000_000_000
  #restarts = 0
  #written = 0

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async begin(): Promise<Campaign> {
    return new Campaign(await mkdtemp(join(tmpdir(), 'makegood-campaign-')))
  }

  async end(): Promise<void> {
    await this.#embedded?.close()
    await rm(this.#folder, { recursive: true })
  }

  async run(command: Command): Promise<void> {
    if (command.kind === 'wait') this.#now += command.ms
    else if (command.kind === 'reopen') await this.#reopen()
    else await this.#runOnBoth(command)
  }

  /** Compares all that can be read, and walks the folder. */
  async compareAll(): Promise<void> {
    const [model, embedded] = await this.#onBoth(async (store) => {
      const log = await eventsOfLog(store)
      const names = [...new Set([...log.map(({ stream }) => stream), 'a-1', 'b-1'])]
      const ofStreams = await Promise.all(
        names.flatMap((name) => [name, metadataStreamOf(name)]).map((name) => readOf(store, name)),
      )
      return { log: log.map(withoutPlace), ofStreams, count: log.length }
    })
    expect(embedded).toEqual(model)
    if (embedded.count > 0) expect(await checkFolder(this.#folder)).toMatchObject({ problems: [], events: model.count })
  }

  async #runOnBoth(command: Exclude<Command, { kind: 'wait' | 'reopen' }>): Promise<void> {
    this.#written += 1
    const [model, embedded] = await this.#onBoth((store) => this.#answerOf(store, command))
    expect(embedded).toEqual(model)
  }

  async #answerOf(store: EventStore, command: Exclude<Command, { kind: 'wait' | 'reopen' }>): Promise<unknown> {
    const { kind } = command
    if (kind === 'append')
      return answer(store, await store.append(command.stream, this.#events(command), command.expected))
    if (kind === 'metadata') {
      const event = this.#event(`metadata ${this.#written}`, command.text)
      return answer(store, await store.append(metadataStreamOf(command.stream), [event], 'any'))
    }
    if (kind === 'read') return readOf(store, command.stream, command.options)
    if (kind === 'readAll') return readAllOf(store, command)
    const { stream, expected } = command
    return answer(
      store,
      await (kind === 'delete' ? store.deleteStream(stream, expected) : store.tombstone(stream, expected)),
    )
  }

  /** An unguarded retry is known by the model after a restart and forgotten by the other: such appends use ids of their own time. */
  #events({ ids: chosen, expected }: Extract<Command, { kind: 'append' }>): ProposedEvent[] {
    const guarded = expected === 'noStream' || typeof expected === 'number'
    return chosen.map(({ letter, age }) => {
      const text = `${letter} ${this.#restarts - (guarded ? Math.min(age, this.#restarts) : 0)}`
      return this.#event(text, JSON.stringify({ text }))
    })
  }

  #event(idText: string, data: string): ProposedEvent {
    const hex = createHash('sha256').update(idText).digest('hex')
    const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')
    return { ...jsonEvent({ id, type: 'Random', data: null }), data: new TextEncoder().encode(data) }
  }

  async #onBoth<T>(ask: (store: EventStore) => Promise<T>): Promise<[model: T, embedded: T]> {
    return [await ask(this.#model), await ask(await this.#opened())]
  }

  async #opened(): Promise<EventStore> {
    this.#embedded ??= await openEmbeddedStore({ folder: this.#folder, clock: this.#clock })
    return this.#embedded
  }

  async #reopen(): Promise<void> {
    await this.#embedded?.close()
    this.#embedded = undefined
    this.#restarts += 1
  }
}

/** An answer without the position, for which stands the event that is found there. */
async function answer(store: EventStore, result: AppendResult | DeleteResult): Promise<unknown> {
  if (!('position' in result) || !result.position) return result
  return { ...result, position: await eventAt(store, result.position) }
}

async function eventAt(store: EventStore, position: Position): Promise<unknown> {
  const [event] = await eventsOfLog(store, { from: position, maxCount: 1 })
  expect(event && formatPosition(event.position)).toBe(formatPosition(position))
  return event && withoutPlace(event)
}

async function readOf(store: EventStore, stream: string, options: ReadStreamOptions = {}): Promise<unknown> {
  const read = await store.readStream(stream, options)
  return read.kind === 'found' ? (await gather(read.events)).flat().map(withoutPlace) : read.kind
}

async function readAllOf(
  store: EventStore,
  { at, direction: way, maxCount }: Extract<Command, { kind: 'readAll' }>,
): Promise<unknown> {
  const from = (await eventsOfLog(store))[at]?.position ?? 'end'
  const filter = { streamPrefixes: ['a-', 'b-1'] }
  const all = await eventsOfLog(store, { from, direction: way, maxCount })
  const filtered = await eventsOfLog(store, { from, direction: way, maxCount, filter })
  return [all.map(withoutPlace), filtered.map(withoutPlace)]
}

/** Positions are each store's own, and so are the ids of events that it writes itself. */
function withoutPlace({ position: _position, id, ...event }: RecordedEvent) {
  const own = event.type.startsWith('$')
  return { ...event, id: own ? 'own' : id, data: textOf(event), metadata: event.metadata.length }
}
