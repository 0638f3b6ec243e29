// One consumer of a group: takes the events that it is given, reads their subjects again, notes what has to be remembered of them, and acknowledges
// only then. It holds nothing that would be lost with it: an event only names a subject, and open deadlines are in the notes.
import { Fold, type FoldedSubject } from '../engine/fold.js'
import { judgeSubject } from '../engine/judge-part.js'
import { nextDeadline } from '../engine/next-deadline.js'
import type { Projection } from '../engine/projection.js'
import { readSubject } from '../engine/subject.js'
import type { ConsumerGroups, Delivery, GroupConsumer, GroupName } from '../log/consumer-group.js'
import { GroupRefusedError } from '../log/consumer-group.js'
import type { RecordedEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import { StoreCorruptError, StoreUnavailableError } from '../log/store-errors.js'
import { msOfTicks } from '../log/ticks.js'
import type { FlowStep } from './detection.js'
import { seenOf } from './group-detection.js'
import { type Note, type Noted, notedEvents } from './group-notes.js'
import { KeyIndex } from './key-index.js'
import { contextAt } from './open-finding.js'
import { pauseUnless } from './pause.js'

export interface GroupWorkerOptions {
  readonly store: EventStore
  readonly groups: ConsumerGroups
  readonly group: GroupName
  readonly notesStream: string
  readonly projection: Projection
  /** Who this process is. */
  readonly holder: string
  /** What rules take for the present, in milliseconds since the Unix epoch. */
  readonly clock: () => number
  /** Milliseconds since the Unix epoch, whatever rules take for the present. */
  readonly wallClock: () => number
  readonly newId: () => string
  /** The first pause before it joins again; it doubles, up to a minute. */
  readonly retryMs: number
  readonly onTrouble: (error: Error) => void
  /** It has become one of the group's consumers, for the first time or again. */
  readonly onJoined?: () => void
  /** Named steps, for tests of what a kill leaves behind. */
  readonly onStep?: ((step: 'noted' | 'acknowledged') => Promise<void>) | undefined
}

/** Events that it holds unanswered: enough for a round of reading to be worth it, and no more than it deals with well within the time-out. */
const HELD_MAX = 500
const READ_AT_ONCE = 64
const RETRY_MAX_MS = 60_000

/** What it has done since it began. */
export interface WorkerCounts {
  deliveries: number
  /** Of these, given before: to somebody who did not answer. */
  redeliveries: number
  /** Put aside, because the projection could not deal with them. */
  parked: number
}

export class GroupWorker {
  readonly counts: WorkerCounts = { deliveries: 0, redeliveries: 0, parked: 0 }
  readonly #options: GroupWorkerOptions
  readonly #fold: Fold
  readonly #keys: KeyIndex
  readonly #flow: ReadonlySet<string>
  #joined = false

  constructor(options: GroupWorkerOptions) {
    const { flow } = options.projection.live ?? {}
    this.#options = options
    this.#fold = new Fold(options.projection)
    this.#keys = new KeyIndex(options.projection)
    this.#flow = new Set([...(flow?.from ?? []), ...(flow?.to ?? [])])
  }

  /** Whether it is one of the group's consumers now. */
  get joined(): boolean {
    return this.#joined
  }

  /** Consumes until the signal is aborted. Throws GroupRefusedError where the group is gone or not to be had, and StoreCorruptError. */
  async run(signal: AbortSignal): Promise<void> {
    const { retryMs, onTrouble } = this.#options
    for (let pause = retryMs; !signal.aborted; pause = Math.min(2 * pause, RETRY_MAX_MS)) {
      const before = this.counts.deliveries
      try {
        await this.#consume(signal)
      } catch (error) {
        if (!isPassing(error)) throw error
        onTrouble(error)
      } finally {
        this.#joined = false
      }
      if (this.counts.deliveries > before) pause = retryMs
      await pauseUnless(signal, pause)
    }
  }

  async #consume(signal: AbortSignal): Promise<void> {
    const { groups, group } = this.#options
    const consumer = groups.consume(group, { heldMax: HELD_MAX, signal })
    for await (const message of consumer.messages) {
      this.#joined = message.kind !== 'left'
      if (message.kind === 'joined') this.#options.onJoined?.()
      if (message.kind === 'deliveries') await this.#take(message.deliveries, consumer)
    }
  }

  async #take(deliveries: readonly Delivery[], consumer: GroupConsumer): Promise<void> {
    const { onStep } = this.#options
    const judged = await this.#judge(deliveries.map(({ event }) => event))
    const isDone = ({ event }: Delivery) => !(judged.get(this.#fold.subjectOf(event) ?? '') instanceof Error)
    const done = deliveries.filter(isDone)
    await this.#write(this.#noted(done, judged))
    await onStep?.('noted')
    consumer.ack(done)
    this.#park(
      deliveries.filter((delivery) => !isDone(delivery)),
      judged,
      consumer,
    )
    this.counts.deliveries += deliveries.length
    this.counts.redeliveries += deliveries.filter(({ retries }) => retries > 0).length
    await onStep?.('acknowledged')
  }

  /** What the projection cannot deal with it could not deal with a second time either: others go on, and a person is told. */
  #park(deliveries: readonly Delivery[], judged: ReadonlyMap<string, Note | Error>, consumer: GroupConsumer): void {
    for (const delivery of deliveries) {
      const error = judged.get(this.#fold.subjectOf(delivery.event) ?? '')
      consumer.nack([delivery], 'park', String(error))
      this.counts.parked += 1
      if (error instanceof Error) this.#options.onTrouble(error)
    }
  }

  /** Each subject as it stands now, or why it cannot be judged. Throws what the reader throws. */
  async #judge(events: readonly RecordedEvent[]): Promise<Map<string, Note | Error>> {
    const subjects = [...new Set(events.flatMap((event) => this.#fold.subjectOf(event) ?? []))]
    const judged = new Map<string, Note | Error>()
    for (let start = 0; start < subjects.length; start += READ_AT_ONCE) {
      const some = subjects.slice(start, start + READ_AT_ONCE)
      const notes = await Promise.all(some.map((subject) => this.#noteOrError(subject)))
      for (const [index, subject] of some.entries()) judged.set(subject, notes[index] as Note | Error)
    }
    return judged
  }

  async #noteOrError(subject: string): Promise<Note | Error> {
    try {
      return await this.#note(subject)
    } catch (error) {
      if (error instanceof StoreUnavailableError || error instanceof StoreCorruptError) throw error
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async #note(subject: string): Promise<Note> {
    const { store, projection, clock } = this.#options
    const { folded, events } = await readSubject(store, projection, subject)
    const now = clock()
    return {
      subject,
      seen: seenOf(folded, projection),
      // By the log's time where that is earlier: a clock that is ahead must not pass a deadline over for those whose clocks are right.
      deadline: nextDeadline(folded.state, projection, Math.min(now, lastCreatedIn(events) ?? now)) ?? null,
      isOpen: this.#isOpen(folded, now),
      keys: this.#keys.keysOf(folded.state),
    }
  }

  #isOpen(folded: FoldedSubject, now: number): boolean {
    const { projection } = this.#options
    // A key that the subject itself uses twice is found by whoever compares subjects: who keeps the alerts must look at this one.
    const sharesWithItself = this.#keys.usesOf(folded.state).length > this.#keys.keysOf(folded.state).length
    return sharesWithItself || judgeSubject(folded, projection, contextAt(now, projection)).length > 0
  }

  #noted(done: readonly Delivery[], judged: ReadonlyMap<string, Note | Error>): Noted {
    const { holder, wallClock } = this.#options
    const events = done.map(({ event }) => event)
    const created = events.flatMap((event) => createdMs(event) ?? [])
    return {
      by: holder,
      notes: [...judged.values()].flatMap((note) => (note instanceof Error ? [] : [note])),
      flow: events.flatMap((event) => this.#flowStepOf(event)),
      events: events.length,
      unattributable: events.filter((event) => this.#fold.subjectOf(event) === undefined).length,
      oldestAt: created.length === 0 ? null : Math.min(...created),
      at: wallClock(),
    }
  }

  #flowStepOf(event: RecordedEvent): FlowStep[] {
    const subject = this.#fold.subjectOf(event)
    if (subject === undefined || !this.#flow.has(event.type)) return []
    return [{ type: event.type, subject, at: createdMs(event) ?? this.#options.wallClock() }]
  }

  /** In no order with what other consumers note: who reads it goes by what each has seen. Throws StoreUnavailableError; nothing is acknowledged then. */
  async #write(noted: Noted): Promise<void> {
    const { store, notesStream, newId } = this.#options
    for (const event of notedEvents(noted, newId)) {
      const result = await store.append(notesStream, [event], 'any')
      if (result.kind !== 'appended') {
        const why = result.kind === 'conflict' ? 'it was changed meanwhile' : result.message
        throw new StoreUnavailableError(`Stream ${notesStream} could not be written: ${why}`)
      }
    }
  }
}

function createdMs({ created }: RecordedEvent): number | undefined {
  return created === undefined ? undefined : msOfTicks(created)
}

function lastCreatedIn(events: readonly RecordedEvent[]): number | undefined {
  const last = events.at(-1)
  return last && createdMs(last)
}

/** A group that is full may have a place later; one that is gone stays gone. */
function isPassing(error: unknown): error is Error {
  if (error instanceof GroupRefusedError) return error.reason === 'full'
  return error instanceof StoreUnavailableError
}
