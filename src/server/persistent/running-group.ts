// A group at work: it reads its source, gives events to its consumers, parks, keeps checkpoints, and carries out whatever its state
// says. Nothing is read for a group before its first consumer.
import type { EventStore } from '../../log/event-store.js'
import type { Revision } from '../../log/revision.js'
import { OPEN_ACCESS } from '../access/stream-access.js'
import { LinkResolver } from '../streams/link-resolver.js'
import { CheckpointStream } from './checkpoint-stream.js'
import { Checkpoints } from './checkpoints.js'
import type { GroupConsumer, Membership } from './consumer.js'
import { checkpointStreamOf, type GroupDefinition, parkedStreamOf } from './group-definition.js'
import type { GroupInfo } from './group-info.js'
import { followSource, type SourceEvent, type SourceStep } from './group-source.js'
import { GroupState } from './group-state.js'
import { GroupStatistics } from './group-statistics.js'
import { groupDropped, maximumSubscribersReached } from './group-statuses.js'
import type { GroupEffect, GroupInput } from './group-steps.js'
import type { GroupSurroundings } from './group-surroundings.js'
import { ParkedStream } from './parked-stream.js'
import type { Remainder } from './progress.js'
import { Replays } from './replays.js'
import { Waiting } from './waiting.js'

/** After an error of the store it is asked again. */
const AGAIN_MS = 1_000
/** A group that stops listens for answers as long as some come within such a time, */
const ANSWER_MS = 50
/** but no longer than that. */
const ANSWERS_MS_MAX = 1_000

export class RunningGroup {
  readonly definition: GroupDefinition
  readonly #store: EventStore
  readonly #onError: (error: unknown) => void
  readonly #checkpoints: Checkpoints
  readonly #parked: ParkedStream
  readonly #links: LinkResolver
  readonly #replays: Replays
  readonly #state: GroupState<SourceEvent>
  readonly #statistics: GroupStatistics
  readonly #consumers = new Map<string, GroupConsumer>()
  readonly #stopping = new AbortController()
  readonly #room = new Waiting(this.#stopping.signal)
  readonly #parkings = new Set<Promise<void>>()
  readonly #inputs: GroupInput<SourceEvent>[] = []
  /** Where the source is read on after an error. */
  #left: Remainder
  #reading: Promise<void> | undefined
  #applying = false
  #isOver = false
  #joined = 0
  #answers = 0

  private constructor(
    definition: GroupDefinition,
    { store, onError }: GroupSurroundings,
    stored: { readonly checkpoints: CheckpointStream; readonly left: Remainder | undefined },
  ) {
    const { settings } = definition
    this.definition = definition
    this.#store = store
    this.#onError = onError
    this.#checkpoints = new Checkpoints(stored.checkpoints, { lastSaved: stored.left?.place, onError })
    this.#parked = new ParkedStream(store, parkedStreamOf(definition))
    this.#links = new LinkResolver(store, OPEN_ACCESS, undefined)
    this.#left = stored.left ?? { place: definition.startAfter }
    this.#state = new GroupState(rulesOf(definition), { left: this.#left, nowMs: performance.now() })
    this.#statistics = new GroupStatistics(settings, performance.now())
    this.#replays = new Replays(this.#parked, {
      strategy: settings.strategy,
      links: this.#links,
      room: this.#room,
      hasRoom: () => this.#state.wantsReplayed,
      give: (events) => this.#apply({ kind: 'replayed', events }),
    })
  }

  /** Takes up a group where it stopped. */
  static async start(definition: GroupDefinition, surroundings: GroupSurroundings): Promise<RunningGroup> {
    const checkpoints = new CheckpointStream(surroundings.store, checkpointStreamOf(definition))
    return new RunningGroup(definition, surroundings, { checkpoints, left: await checkpoints.load() })
  }

  /** Throws the status of a group that is full. */
  join(consumer: GroupConsumer): Membership {
    if (this.#stopping.signal.aborted) throw groupDropped(this.definition)
    const { maxSubscriberCount } = this.definition.settings
    if (maxSubscriberCount > 0 && this.#consumers.size >= maxSubscriberCount)
      throw maximumSubscribersReached(this.definition)
    this.#joined += 1
    const id = String(this.#joined)
    this.#consumers.set(id, consumer)
    this.#statistics.joined(id, performance.now())
    this.#apply({ kind: 'joined', consumer: id, slots: consumer.slots })
    this.#reading ??= this.#read()
    return this.#membership(id)
  }

  /** Gives parked events again, up to a revision of theirs (exclusive). Resolves when it is sure that they will be. */
  async replayParked(stopAt?: Revision): Promise<void> {
    await this.#replays.start(stopAt, this.#onError)
  }

  /** To be called every now and then. */
  tick(): void {
    if (!this.#stopping.signal.aborted) this.#apply({ kind: 'ticked' })
  }

  async describe(): Promise<GroupInfo> {
    return this.#statistics.describe({
      definition: this.definition,
      store: this.#store,
      state: this.#state,
      consumers: this.#consumers,
      isReplaying: this.#replays.underWay,
      parked: await this.#replays.parkedCount(),
      lastCheckpoint: this.#checkpoints.lastSaved ?? '',
      readTo: this.#left.place,
    })
  }

  /**
   * Drops the consumers and leaves behind what is not settled, so that the next start takes up there: nothing that was settled comes
   * again.
   */
  async stop(): Promise<void> {
    this.#apply({ kind: 'stopping' })
    await this.#lastAnswers()
    await this.#end()
    const left = this.#state.remainder
    const begun = this.#checkpoints.lastSaved ?? this.definition.startAfter
    if (left.takenTo !== undefined || left.place !== begun) this.#checkpoints.save(left)
    await this.#checkpoints.written()
    await this.#replays.finish(this.#state.replaying).catch(this.#onError)
  }

  /** Drops the consumers and all that the group kept. */
  async delete(): Promise<void> {
    this.#apply({ kind: 'stopping' })
    await this.#end()
    await Promise.all([this.#checkpoints.delete(), this.#parked.delete()])
  }

  #membership(consumer: string): Membership {
    const answer = (ids: readonly string[]) => {
      this.#answers += 1
      this.#statistics.answered(consumer, ids, performance.now())
    }
    return {
      ready: () => this.#apply({ kind: 'ready', consumer }),
      held: () => this.#apply({ kind: 'held', consumer }),
      ack: (ids) => {
        answer(ids)
        this.#apply({ kind: 'acked', consumer, ids })
      },
      nack: (ids, { action, reason }) => {
        answer(ids)
        this.#apply({ kind: 'nacked', consumer, ids, action, reason })
      },
      leave: () => {
        this.#consumers.delete(consumer)
        this.#statistics.left(consumer)
        this.#apply({ kind: 'left', consumer })
      },
    }
  }

  /** Takes what happens one after the other, also what happens while something is carried out. Once the group is over nothing counts. */
  #apply(input: GroupInput<SourceEvent>): void {
    if (this.#isOver) return
    this.#inputs.push(input)
    if (this.#applying) return
    this.#applying = true
    try {
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
        for (const effect of this.#state.apply(next, performance.now())) this.#carryOut(effect)
      }
    } finally {
      this.#applying = false
    }
    this.#room.look()
    this.#replays.settledTo(this.#state.replayingFrom)
  }

  #carryOut(effect: GroupEffect<SourceEvent>): void {
    switch (effect.kind) {
      case 'give':
        this.#statistics.given(effect.consumer, effect.event.id, performance.now())
        this.#consumers.get(effect.consumer)?.give({ ...effect.event.sent, retryCount: effect.retryCount })
        break
      case 'park':
        this.#track(this.#park(effect))
        break
      case 'checkpoint':
        this.#checkpoints.save(effect.left)
        break
    }
  }

  async #read(): Promise<void> {
    const { signal } = this.#stopping
    const options = { store: this.#store, definition: this.definition, links: this.#links, signal }
    while (!signal.aborted) {
      try {
        for await (const step of followSource({ ...options, left: this.#left })) {
          this.#takeStep(step)
          await this.#room.until(() => this.#state.wantsMore)
          if (signal.aborted) return
        }
        return
      } catch (error) {
        if (signal.aborted) return
        this.#onError(error)
        await this.#room.pause(AGAIN_MS)
      }
    }
  }

  #takeStep(step: SourceStep): void {
    this.#statistics.read(step)
    if (step.kind === 'caughtUp') return
    const place = step.kind === 'passed' ? step.place : step.events.at(-1)?.place
    this.#left = { ...this.#left, place }
    this.#apply(step)
  }

  async #park({ ticket, event, reason }: Extract<GroupEffect<SourceEvent>, { kind: 'park' }>): Promise<void> {
    let parked = false
    try {
      parked = await this.#parked.park(event.sent, { reason, nowMs: Date.now() })
    } catch (error) {
      this.#onError(error)
    }
    // It must not be lost, nor come again at once and without end.
    if (!parked) await this.#room.pause(AGAIN_MS)
    this.#apply({ kind: parked ? 'parked' : 'notParked', ticket })
  }

  #track(parking: Promise<void>): void {
    const tracked = parking.finally(() => this.#parkings.delete(tracked))
    this.#parkings.add(tracked)
  }

  /** Answers that are on their way when a group stops still count. */
  async #lastAnswers(): Promise<void> {
    const endMs = performance.now() + ANSWERS_MS_MAX
    for (let seen = -1; seen !== this.#answers && performance.now() < endMs; ) {
      if (this.#state.counts.inFlight === 0) return
      seen = this.#answers
      await this.#room.pause(ANSWER_MS)
    }
  }

  async #end(): Promise<void> {
    this.#stopping.abort()
    for (const consumer of this.#consumers.values()) consumer.drop(groupDropped(this.definition))
    await Promise.allSettled([this.#reading, ...this.#parkings, this.#checkpoints.written(), this.#replays.ended()])
    this.#isOver = true
  }
}

function rulesOf({ settings }: GroupDefinition) {
  return {
    strategy: settings.strategy,
    maxRetryCount: settings.maxRetryCount,
    messageTimeoutMs: settings.messageTimeoutMs,
    bufferSize: settings.historyBufferSize,
    readBatchSize: settings.readBatchSize,
    checkpoints: {
      afterMs: settings.checkpointAfterMs,
      atLeast: settings.checkpointAtLeast,
      atMost: settings.checkpointAtMost,
    },
  }
}
