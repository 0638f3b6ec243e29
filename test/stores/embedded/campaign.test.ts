// A seeded random campaign of commands on the embedded store, with the memory store as the model: each answer and each reading is
// equal, also over restarts.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ProposedEvent, RecordedEvent } from '../../../src/log/event.js'
import type { AppendResult, DeleteResult, EventStore, ReadStreamOptions } from '../../../src/log/event-store.js'
import type { ExpectedRevision } from '../../../src/log/revision.js'
import { metadataStreamOf } from '../../../src/log/stream.js'
import { checkFolder } from '../../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { anEvent, eventsOfLog, gather, textOf } from '../../controls/events.js'
import { seedFor } from '../../controls/seed.js'
import { testFolder } from './child.js'

const CAMPAIGNS = 12
const COMMANDS = 250
const FIRST_SEED = seedFor('campaign on the embedded store')
const SEEDS = Array.from({ length: CAMPAIGNS }, (_, i) => FIRST_SEED + i)

test.each(SEEDS)('a campaign from seed %i', async (seed) => {
  const campaign = new Campaign(seed, join(await testFolder(), 'store'))
  await campaign.run()
})

class Campaign {
  readonly #random: () => number
  readonly #folder: string
  readonly #model: EventStore
  readonly #streams: readonly string[]
  #store: EventStore | undefined
  #now = 1_000_000_000_000
  #done: string[] = []
  /** Batches by when they were sent: a restart forgets ids, so those from before it are only sent again under a revision. */
  #recent: ProposedEvent[][] = []
  #old: ProposedEvent[][] = []

  constructor(seed: number, folder: string) {
    this.#random = randomFrom(seed)
    this.#folder = folder
    this.#model = openMemoryStore({ clock: () => this.#now })
    const named = ['a-1', 'b-1', '\u001b[31m-1', 'n'.repeat(2500)]
    this.#streams = [...named, ...named, ...named.slice(0, 2).map(metadataStreamOf)]
  }

  async run(): Promise<void> {
    try {
      for (let i = 0; i < COMMANDS; i += 1) await this.#step()
      await this.#compareLogs()
      await this.#store?.close()
      expect(await checkFolder(this.#folder)).toMatchObject({ problems: [] })
    } catch (cause) {
      throw new Error(`After:\n${this.#done.slice(-12).join('\n')}`, { cause })
    }
  }

  async #step(): Promise<void> {
    const commands = [
      [50, () => this.#append(this.#newBatch(), this.#guard())],
      [18, () => this.#retry()],
      [10, () => this.#writeMetadata()],
      [7, () => this.#delete('deleteStream')],
      [1, () => this.#delete('tombstone')],
      [5, () => this.#waitAWhile()],
      [4, () => this.#reopen()],
      [25, () => this.#compareStreams()],
    ] as const
    let ticket = this.#below(commands.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, command] of commands) {
      if (ticket < weight) return command()
      ticket -= weight
    }
  }

  #append(batch: ProposedEvent[], expected: ExpectedRevision, stream = this.#pick(this.#streams)): Promise<void> {
    this.#recent.push(batch)
    return this.#command(`append ${batch.length} to ${stream} expecting ${expected}`, (store) =>
      store.append(stream, batch, expected),
    )
  }

  #retry(): Promise<void> {
    const old = this.#recent.length === 0 || this.#below(3) === 0
    const batch = this.#pick(old ? this.#old : this.#recent) ?? []
    const cut = this.#below(2) === 0 ? batch : batch.slice(this.#below(batch.length + 1))
    const expected = old ? this.#pick(['noStream' as const, 0, 1, 2, 3]) : this.#guard()
    const stream = this.#pick(this.#streams)
    return this.#command(`retry ${cut.length} to ${stream} expecting ${expected}`, (store) =>
      store.append(stream, cut, expected),
    )
  }

  #writeMetadata(): Promise<void> {
    const stream = this.#pick(this.#streams)
    const metadata = this.#pick([
      `{"$maxCount":${1 + this.#below(4)}}`,
      `{"$tb":${this.#below(6)}}`,
      `{"$maxAge":${1 + this.#below(30)},"k":1}`,
      '{"$tb":9223372036854775807}',
      '{}',
      'no JSON',
    ])
    const event = anEvent({ type: '$metadata', data: Buffer.from(metadata) })
    return this.#command(`metadata ${metadata} of ${stream}`, (store) =>
      store.append(metadataStreamOf(stream), [event], 'any'),
    )
  }

  #delete(how: 'deleteStream' | 'tombstone'): Promise<void> {
    const [stream, expected] = [this.#pick(this.#streams), this.#guard()]
    return this.#command(`${how} ${stream} expecting ${expected}`, (store) => store[how](stream, expected))
  }

  async #waitAWhile(): Promise<void> {
    this.#now += this.#below(20) * 1000
  }

  async #command(title: string, act: (store: EventStore) => Promise<AppendResult | DeleteResult>): Promise<void> {
    this.#done.push(title.slice(0, 120))
    const store = await this.#opened()
    const [found, due] = [await act(store), await act(this.#model)]
    expect(summaryOf(found)).toEqual(summaryOf(due))
  }

  async #reopen(): Promise<void> {
    this.#done.push('reopen')
    await this.#store?.close()
    this.#store = undefined
    this.#old.push(...this.#recent)
    this.#recent = []
  }

  async #compareStreams(): Promise<void> {
    const store = await this.#opened()
    const options: ReadStreamOptions = {
      direction: this.#pick(['forwards', 'backwards']),
      ...(this.#below(2) === 0 && { from: this.#pick(['start' as const, 'end' as const, this.#below(8)]) }),
      ...(this.#below(2) === 0 && { maxCount: this.#below(5) }),
    }
    for (const stream of new Set(this.#streams)) {
      expect(await readingOf(store, stream, options)).toEqual(await readingOf(this.#model, stream, options))
    }
  }

  async #compareLogs(): Promise<void> {
    const store = await this.#opened()
    expect((await eventsOfLog(store)).length).toBeGreaterThan(COMMANDS / 25)
    for (const direction of ['forwards', 'backwards'] as const) {
      const found = (await eventsOfLog(store, { direction })).map(comparable)
      expect(found).toEqual((await eventsOfLog(this.#model, { direction })).map(comparable))
    }
  }

  async #opened(): Promise<EventStore> {
    this.#store ??= await openEmbeddedStore({ folder: this.#folder, clock: () => this.#now })
    return this.#store
  }

  #newBatch(): ProposedEvent[] {
    return Array.from({ length: this.#below(4) }, () => anEvent())
  }

  #guard(): ExpectedRevision {
    return this.#pick(['any', 'any', 'noStream', 'streamExists', this.#below(6), this.#below(12)])
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T
  }
}

/** A result as far as two homes must agree: positions differ, whether there is one does not. */
function summaryOf(result: AppendResult | DeleteResult): object {
  if (result.kind === 'refused') return { kind: result.kind, reason: result.reason }
  return 'position' in result ? { ...result, position: result.position !== undefined } : result
}

async function readingOf(store: EventStore, stream: string, options: ReadStreamOptions): Promise<unknown> {
  const read = await store.readStream(stream, options)
  return read.kind === 'found' ? (await gather(read.events)).flat().map(comparable) : read.kind
}

/** An event without its position, and without its id where the store chose it. */
function comparable(event: RecordedEvent): object {
  const { stream, revision, id, type, contentType, created } = event
  return { stream, revision, type, contentType, created, data: textOf(event), ...(!type.startsWith('$') && { id }) }
}

/** mulberry32: small and good enough to choose commands. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
