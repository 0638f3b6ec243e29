// One process that applies a plan, in the test's own event loop: every touch of the world goes through it, so that it can be killed,
// delayed or lied to at each of them, and what it has read is known when it asks for a ticket.

import { parseMetadata } from '../../src/engine/decode.js'
import type { Projection } from '../../src/engine/projection.js'
import type { ProposedEvent, RecordedEvent } from '../../src/log/event.js'
import type { AppendResult, EventStore, StreamRead } from '../../src/log/event-store.js'
import { type ApplyOptions, type ApplySummary, applyPlan } from '../../src/repair/apply.js'
import type { Authority } from '../../src/repair/authority.js'
import type { ItemOutcome } from '../../src/repair/item-outcome.js'
import type { Plan } from '../../src/repair/plan.js'
import { ownMarkOf } from '../../src/repair/provenance.js'
import { NOW } from './airline.js'
import { gather } from './events.js'

/** The process is dead: nothing that it does any more has an effect. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** One contact of a process with the world: an operation of the store or the authority, or a step of the protocol between them. */
export interface Touch {
  readonly name: string
  /** The stream of the operation, the key of the question, the item of the step. */
  readonly about: string
}

/** What becomes of the answer to an append. */
export type AppendFate = 'answered' | 'lost-before' | 'lost-after'

export interface ProcessOptions {
  readonly store: EventStore
  readonly projection: Projection
  readonly authority?: Authority | undefined
  readonly newId: () => string
  /** Called before and after each touch; may wait, act on the world, or kill. */
  readonly onTouch?: (touch: Touch, when: 'before' | 'after', process: ApplyingProcess) => Promise<void> | void
  readonly appendFate?: (stream: string) => AppendFate
}

export class ApplyingProcess {
  readonly outcomes: ItemOutcome[] = []
  /** By stream: its events when this process read it last, and at which of its touches that was. */
  readonly lastRead = new Map<string, { readonly events: readonly RecordedEvent[]; readonly touch: number }>()
  /** By key: the touch at which this process knew for the first time that its claim stands in the log. */
  readonly knewClaim = new Map<string, number>()
  touches = 0
  #alive = true

  constructor(readonly options: ProcessOptions) {}

  kill(): void {
    this.#alive = false
  }

  get isAlive(): boolean {
    return this.#alive
  }

  /** Applies a plan, approved, one item after the other where nothing else is said. Rejects with Killed where it was. */
  apply(plan: Plan, options: Partial<ApplyOptions> = {}): Promise<ApplySummary> {
    const { projection, authority, newId } = this.options
    return applyPlan(
      {
        store: this.#store(),
        projection,
        plan,
        actors: { actor: 'ann', approver: 'bob', engineVersion: '0' },
        ...(authority && { authority: this.#authority(authority) }),
        now: () => NOW,
        newId,
        pause: () => this.#touch({ name: 'pause', about: '' }, async () => undefined),
        onStep: (step, item) => this.#touch({ name: step, about: item.key }, async () => undefined),
      },
      { approve: plan.digest, inFlight: 1, onOutcome: (outcome) => this.outcomes.push(outcome), ...options },
    )
  }

  async #touch<T>(touch: Touch, effect: () => Promise<T>): Promise<T> {
    this.#mustLive()
    this.touches += 1
    await this.options.onTouch?.(touch, 'before', this)
    this.#mustLive()
    const result = await effect()
    await this.options.onTouch?.(touch, 'after', this)
    this.#mustLive()
    return result
  }

  #mustLive(): void {
    if (!this.#alive) throw new Killed()
  }

  #store(): EventStore {
    const { store } = this.options
    return {
      readStream: (stream, options) =>
        this.#touch({ name: 'readStream', about: stream }, async () =>
          this.#noteRead(stream, await store.readStream(stream, options)),
        ),
      readAll: (options) => this.#readAll(options),
      append: (stream, events, expected) =>
        this.#touch({ name: 'append', about: stream }, () =>
          this.#append(stream, events, () => store.append(stream, events, expected)),
        ),
      deleteStream: store.deleteStream.bind(store),
      tombstone: store.tombstone.bind(store),
      subscribeToStream: store.subscribeToStream.bind(store),
      subscribeToAll: store.subscribeToAll.bind(store),
      close: store.close.bind(store),
    }
  }

  async *#readAll(options: Parameters<EventStore['readAll']>[0]) {
    yield* await this.#touch({ name: 'readAll', about: '' }, async () => this.options.store.readAll(options))
  }

  async #noteRead(stream: string, read: StreamRead): Promise<StreamRead> {
    const batches = read.kind === 'found' ? await gather(read.events) : []
    const events = batches.flat()
    this.lastRead.set(stream, { events, touch: this.touches })
    this.#noteClaims(events)
    return read.kind === 'found' ? { kind: 'found', events: given(batches) } : read
  }

  #noteClaims(events: readonly { readonly metadata: Uint8Array }[]): void {
    for (const { metadata } of events) {
      const mark = ownMarkOf(parseMetadata(metadata))
      if (mark?.step === 'claim' && !this.knewClaim.has(mark.key)) this.knewClaim.set(mark.key, this.touches)
    }
  }

  async #append(
    stream: string,
    events: readonly ProposedEvent[],
    append: () => Promise<AppendResult>,
  ): Promise<AppendResult> {
    const fate = this.options.appendFate?.(stream) ?? 'answered'
    if (fate === 'lost-before') return { kind: 'unknown', message: 'the question was lost' }
    const result = await append()
    if (fate === 'answered' && result.kind === 'appended') this.#noteClaims(events)
    return fate === 'lost-after' ? { kind: 'unknown', message: 'the answer was lost' } : result
  }

  #authority(authority: Authority): Authority {
    return {
      name: authority.name,
      ...(authority.admits && { admits: authority.admits.bind(authority) }),
      lookUp: (call) => this.#touch({ name: 'lookUp', about: call.key }, () => authority.lookUp(call)),
      issue: (call) => this.#touch({ name: 'issue', about: call.key }, () => authority.issue(call)),
    }
  }
}

async function* given<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
