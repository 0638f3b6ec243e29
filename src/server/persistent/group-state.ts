// The state of a group, apart from wire, log and clock: what happens goes in, what is to be done comes out. Every event that was
// read is in one place at a time: waiting, with a consumer, being parked, or settled.
import type { Revision } from '../../log/revision.js'
import { EventQueue, type Offered } from './event-queue.js'
import type { ConsumerState, GroupEffect, GroupEvent, GroupInput, GroupRules, NackAction } from './group-steps.js'
import { comesBefore, type Item, type MutableConsumer, newConsumer } from './item.js'
import { Progress, type Remainder } from './progress.js'
import { hasRoom, type Strategy, strategyOf } from './strategies.js'

/** What may wait in memory before no more is read, however many events a group asks for. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024

export class GroupState<Event extends GroupEvent> {
  readonly #rules: GroupRules
  readonly #strategy: Strategy
  readonly #progress: Progress
  readonly #consumers = new Map<string, MutableConsumer<Event>>()
  /** Read and never given out. */
  readonly #fresh = new EventQueue<Item<Event>>()
  /** To be given again; they go first. */
  readonly #again = new EventQueue<Item<Event>>()
  /** By id, in the order of their deadlines. */
  readonly #inFlight = new Map<string, Item<Event>>()
  readonly #parking = new Map<number, Item<Event>>()
  /** Events that were parked, given again and are not settled, by their revision there, in its order. */
  readonly #replaying = new Map<Revision, Item<Event>>()
  #effects: GroupEffect<Event>[] = []
  #waitingBytes = 0
  #tickets = 0
  #given = 0
  #stopping = false

  /** `left`: what an earlier run has left, or where the group begins. */
  constructor(rules: GroupRules, { left, nowMs }: { left: Remainder; nowMs: number }) {
    this.#rules = rules
    this.#strategy = strategyOf(rules.strategy)
    this.#progress = new Progress(rules.checkpoints, { left, nowMs })
  }

  /** Takes what happened and gives what is to be done for it, in order. `nowMs` never goes back. */
  apply(input: GroupInput<Event>, nowMs: number): GroupEffect<Event>[] {
    this.#effects = []
    this.#take(input, nowMs)
    if (!this.#stopping) this.#giveOut(nowMs)
    const left = this.#progress.due(nowMs, input.kind === 'ticked')
    if (left) this.#effects.push({ kind: 'checkpoint', left })
    return this.#effects
  }

  /** Whether there is room for more events of the source. */
  get wantsMore(): boolean {
    const { bufferSize, readBatchSize } = this.#rules
    const room = this.#consumers.size > 0 ? bufferSize : Math.min(bufferSize, readBatchSize)
    return this.#waitingBytes < WAITING_BYTES_MAX && this.#fresh.length < Math.max(1, room)
  }

  /** Whether there is room for more of the parked events. */
  get wantsReplayed(): boolean {
    return this.#waitingBytes < WAITING_BYTES_MAX && this.#again.length < Math.max(1, this.#rules.bufferSize)
  }

  get consumers(): Iterable<ConsumerState> {
    return this.#consumers.values()
  }

  /** How many events wait for the first time, wait to be given again, are with consumers, are being parked, and were given in all. */
  get counts() {
    return {
      fresh: this.#fresh.length,
      again: this.#again.length,
      inFlight: this.#inFlight.size,
      parking: this.#parking.size,
      given: this.#given,
    }
  }

  /** The parked events that were given again and are not settled, by their revisions, in order. */
  get replaying(): Iterable<readonly [Revision, Event]> {
    return [...this.#replaying].map(([revision, { event }]) => [revision, event] as const)
  }

  /** The first of them. */
  get replayingFrom(): Revision | undefined {
    for (const revision of this.#replaying.keys()) return revision
    return undefined
  }

  /** How far the group has come with its source. */
  get remainder(): Remainder {
    return this.#progress.remainder()
  }

  #take(input: GroupInput<Event>, nowMs: number): void {
    switch (input.kind) {
      case 'read':
        for (const event of input.events) this.#read(event)
        break
      case 'passed':
        this.#progress.passed(input.place)
        break
      case 'replayed':
        for (const { event, parkedAt } of input.events) this.#replay(event, parkedAt)
        break
      case 'acked':
        for (const item of this.#release(input)) this.#settle(item)
        break
      case 'nacked':
        for (const item of this.#release(input)) this.#refuse(item, input)
        break
      case 'parked':
      case 'notParked':
        this.#endParking(input.ticket, input.kind === 'parked')
        break
      case 'ticked':
        this.#expire(nowMs)
        break
      case 'stopping':
        this.#stopping = true
        break
      case 'joined':
        this.#join(input.consumer, input.slots)
        break
      default:
        this.#takeOfConsumer(input)
    }
  }

  #takeOfConsumer({ kind, consumer: id }: { kind: 'held' | 'ready' | 'left'; consumer: string }): void {
    const consumer = this.#consumers.get(id)
    if (!consumer) return
    if (kind === 'left') this.#leave(consumer)
    else consumer.held = kind === 'held'
  }

  #read(event: Event): void {
    this.#waitingBytes += event.bytes
    this.#fresh.push(this.#item(event, this.#progress.read(event.place)))
  }

  #item(event: Event, number: number | undefined, parkedAt?: Revision): Item<Event> {
    this.#tickets += 1
    return { ticket: this.#tickets, event, number, parkedAt, retryCount: 0, consumer: undefined, deadlineMs: 0 }
  }

  #replay(event: Event, parkedAt: Revision): void {
    const item = this.#item(event, undefined, parkedAt)
    this.#replaying.set(parkedAt, item)
    this.#waitingBytes += event.bytes
    this.#again.push(item)
  }

  #join(id: string, slots: number): void {
    const consumer = newConsumer<Event>(id, slots)
    this.#consumers.set(id, consumer)
    this.#strategy.joined(consumer)
  }

  /** What it held is given again; a consumer that leaves is no reason to park anything. */
  #leave(consumer: MutableConsumer<Event>): void {
    for (const item of [...consumer.holds]) {
      this.#takeBack(item)
      this.#giveAgain(item, item.retryCount + 1)
    }
    this.#consumers.delete(consumer.id)
    this.#strategy.left(consumer)
  }

  /** Takes from a consumer what it settles. It can settle nothing but what it holds. */
  *#release({ consumer, ids }: { consumer: string; ids: readonly string[] }): Generator<Item<Event>> {
    for (const id of ids) {
      const item = this.#inFlight.get(id)
      if (item?.consumer?.id !== consumer) continue
      this.#takeBack(item)
      yield item
    }
  }

  #takeBack(item: Item<Event>): void {
    this.#inFlight.delete(item.event.id)
    if (item.consumer) item.consumer.inFlightBytes -= item.event.bytes
    item.consumer?.holds.delete(item)
    item.consumer = undefined
    this.#strategy.returned(item.event.pin)
  }

  #refuse(item: Item<Event>, { action, reason }: { action: NackAction; reason: string }): void {
    if (action === 'skip') this.#settle(item)
    else if (action === 'park') this.#park(item, `Client explicitly NAK'ed message.\n${reason}`)
    else this.#retryOrPark(item)
  }

  #expire(nowMs: number): void {
    if (this.#rules.messageTimeoutMs <= 0) return
    const late: Item<Event>[] = []
    for (const item of this.#inFlight.values()) {
      if (item.deadlineMs > nowMs) break
      late.push(item)
    }
    for (const item of late) {
      this.#takeBack(item)
      this.#retryOrPark(item)
    }
  }

  #retryOrPark(item: Item<Event>): void {
    const { maxRetryCount } = this.#rules
    if (item.retryCount >= maxRetryCount) this.#park(item, `Reached retry count of ${maxRetryCount}`)
    else this.#giveAgain(item, item.retryCount + 1)
  }

  #giveAgain(item: Item<Event>, retryCount: number): void {
    item.retryCount = retryCount
    this.#waitingBytes += item.event.bytes
    this.#again.insert(item, comesBefore)
  }

  #park(item: Item<Event>, reason: string): void {
    this.#parking.set(item.ticket, item)
    this.#effects.push({ kind: 'park', ticket: item.ticket, event: item.event, reason })
  }

  #endParking(ticket: number, parked: boolean): void {
    const item = this.#parking.get(ticket)
    if (!item) return
    this.#parking.delete(ticket)
    if (parked) this.#settle(item)
    else this.#giveAgain(item, item.retryCount)
  }

  #settle(item: Item<Event>): void {
    if (item.number !== undefined) this.#progress.settled(item.number)
    if (item.parkedAt !== undefined) this.#replaying.delete(item.parkedAt)
  }

  #giveOut(nowMs: number): void {
    if (!this.#anyHasRoom()) return
    const offer = (item: Item<Event>) => this.#offer(item, nowMs)
    this.#again.offer(offer)
    this.#fresh.offer(offer)
  }

  #anyHasRoom(): boolean {
    for (const consumer of this.#consumers.values()) if (hasRoom(consumer)) return true
    return false
  }

  #offer(item: Item<Event>, nowMs: number): Offered {
    const { event } = item
    // A stream may hold one id twice. Consumers could not tell which of the two they settle.
    if (this.#inFlight.has(event.id)) return 'kept'
    const chosen = this.#strategy.choose(event.pin)
    const consumer = chosen && this.#consumers.get(chosen.id)
    if (!consumer) return this.#anyHasRoom() ? 'kept' : 'stop'
    item.consumer = consumer
    item.deadlineMs = nowMs + this.#rules.messageTimeoutMs
    consumer.holds.add(item)
    consumer.inFlightBytes += event.bytes
    this.#waitingBytes -= event.bytes
    consumer.given += 1
    this.#given += 1
    this.#inFlight.set(event.id, item)
    this.#strategy.given(event.pin)
    if (item.number !== undefined) this.#progress.taken(item.number)
    this.#effects.push({ kind: 'give', consumer: consumer.id, event, retryCount: item.retryCount })
    return 'taken'
  }
}
