// A small model of a group: a table of what became of each event, kept from what the group was told and what it did, with the rules
// that must hold after every step. It knows nothing of queues, strategies or checkpoints' bounds.
import { expect } from 'vitest'
import type { GroupEffect, GroupEvent, GroupInput, GroupRules } from '../../../src/server/persistent/group-steps.js'
import type { Remainder } from '../../../src/server/persistent/progress.js'

/** `index` is the event's place in the source; parked ones that come again have a negative one. */
export interface ModelEvent extends GroupEvent {
  readonly index: number
}

type Fate =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'inFlight'; readonly consumer: string; readonly deadlineMs: number }
  | { readonly kind: 'parking'; readonly ticket: number }
  | { readonly kind: 'settled' }

interface Row {
  readonly event: ModelEvent
  fate: Fate
  retryCount: number
}

const WAITING: Fate = { kind: 'waiting' }
const SETTLED: Fate = { kind: 'settled' }

export class GroupModel {
  readonly #rules: GroupRules
  readonly #rows = new Map<number, Row>()
  readonly #slots = new Map<string, number>()
  readonly #held = new Set<string>()
  #stopping = false
  /** The last one that the group made. */
  checkpoint: Remainder

  /** `left` is where the group begins. */
  constructor(rules: GroupRules, left: Remainder) {
    this.#rules = rules
    this.checkpoint = left
  }

  get consumers(): string[] {
    return [...this.#slots.keys()]
  }

  isHeld(consumer: string): boolean {
    return this.#held.has(consumer)
  }

  /** The events that a consumer holds. */
  heldBy(consumer: string): ModelEvent[] {
    return this.#events(({ fate }) => fate.kind === 'inFlight' && fate.consumer === consumer)
  }

  get tickets(): number[] {
    return [...this.#rows.values()].flatMap(({ fate }) => (fate.kind === 'parking' ? [fate.ticket] : []))
  }

  get unsettled(): ModelEvent[] {
    return this.#events(({ fate }) => fate.kind !== 'settled')
  }

  get settled(): ModelEvent[] {
    return this.#events(({ fate }) => fate.kind === 'settled')
  }

  get inFlight(): number {
    return this.#events(({ fate }) => fate.kind === 'inFlight').length
  }

  /** Takes one step of the group and throws where a rule is broken. */
  step(input: GroupInput<ModelEvent>, nowMs: number, effects: readonly GroupEffect<ModelEvent>[]): void {
    const toPark = this.#take(input, nowMs)
    for (const effect of effects) this.#check(effect, nowMs, toPark)
    expect(toPark, 'events that had to be parked and were not').toEqual(new Set())
    this.#mustBeBusy()
  }

  /** What the input alone makes of the events. Gives those that have to be parked for it. */
  #take(input: GroupInput<ModelEvent>, nowMs: number): Set<number> {
    const toPark = new Set<number>()
    switch (input.kind) {
      case 'read':
        this.#add(input.events)
        break
      case 'replayed':
        this.#add(input.events.map(({ event }) => event))
        break
      case 'acked':
        for (const row of this.#settledBy(input)) row.fate = SETTLED
        break
      case 'nacked':
        for (const row of this.#settledBy(input)) this.#refuse(row, input.action, toPark)
        break
      case 'parked':
      case 'notParked':
        for (const row of this.#parkedUnder(input.ticket)) row.fate = input.kind === 'parked' ? SETTLED : WAITING
        break
      case 'ticked':
        for (const row of this.#late(nowMs)) this.#refuse(row, 'retry', toPark)
        break
      case 'stopping':
        this.#stopping = true
        break
      case 'passed':
        break
      default:
        this.#takeOfConsumer(input)
    }
    return toPark
  }

  #takeOfConsumer(input: Extract<GroupInput<ModelEvent>, { kind: 'joined' | 'held' | 'ready' | 'left' }>): void {
    const { kind, consumer } = input
    if (kind === 'joined') this.#slots.set(consumer, input.slots)
    if (kind === 'joined' || kind === 'held') this.#held.add(consumer)
    else this.#held.delete(consumer)
    if (kind !== 'left') return
    for (const row of this.#rowsOf(consumer)) this.#again(row)
    this.#slots.delete(consumer)
  }

  #add(events: readonly ModelEvent[]): void {
    for (const event of events) this.#rows.set(event.index, { event, fate: WAITING, retryCount: 0 })
  }

  #check(effect: GroupEffect<ModelEvent>, nowMs: number, toPark: Set<number>): void {
    if (effect.kind === 'checkpoint') this.#checkCheckpoint(effect.left)
    else this.#checkEvent(effect, nowMs, toPark)
  }

  #checkEvent(
    effect: Extract<GroupEffect<ModelEvent>, { kind: 'give' | 'park' }>,
    nowMs: number,
    toPark: Set<number>,
  ): void {
    const row = this.#rows.get(effect.event.index)
    expect(row?.event).toBe(effect.event)
    if (!row) return
    if (effect.kind === 'park') {
      expect(toPark.delete(effect.event.index), 'parked for no reason').toBe(true)
      row.fate = { kind: 'parking', ticket: effect.ticket }
      return
    }
    expect(row.fate, 'given while it was elsewhere').toEqual(WAITING)
    expect(effect.retryCount).toBe(row.retryCount)
    expect(this.#stopping, 'given while stopping').toBe(false)
    expect(this.#held.has(effect.consumer), 'given to a consumer that is held').toBe(false)
    const twin = this.#events(({ event, fate }) => event.id === effect.event.id && fate.kind === 'inFlight')
    expect(twin, 'given while another with its id was out').toEqual([])
    row.fate = { kind: 'inFlight', consumer: effect.consumer, deadlineMs: nowMs + this.#rules.messageTimeoutMs }
    expect(this.heldBy(effect.consumer).length).toBeLessThanOrEqual(this.#slots.get(effect.consumer) ?? 0)
  }

  #checkCheckpoint(left: Remainder): void {
    const place = indexOf(left.place)
    expect(place, 'a checkpoint that goes back').toBeGreaterThanOrEqual(indexOf(this.checkpoint.place))
    const lost = this.unsettled.filter(({ index }) => index >= 0 && isSettledIn(left, index))
    expect(lost, 'unsettled, and said to be settled').toEqual([])
    this.checkpoint = left
  }

  /** Nothing waits while somebody has room for it, except what pinning or an equal id holds back. */
  #mustBeBusy(): void {
    if (this.#stopping || this.#rules.strategy.startsWith('Pinned')) return
    const idle = this.consumers.filter(
      (consumer) => !this.#held.has(consumer) && this.heldBy(consumer).length < (this.#slots.get(consumer) ?? 0),
    )
    if (idle.length === 0) return
    const out = new Set(this.#events(({ fate }) => fate.kind === 'inFlight').map(({ id }) => id))
    expect(this.#events(({ event, fate }) => fate.kind === 'waiting' && !out.has(event.id))).toEqual([])
  }

  #refuse(row: Row, action: 'retry' | 'park' | 'skip', toPark: Set<number>): void {
    if (action === 'skip') row.fate = SETTLED
    else if (action === 'park' || row.retryCount >= this.#rules.maxRetryCount) toPark.add(row.event.index)
    else this.#again(row)
  }

  #again(row: Row): void {
    row.fate = WAITING
    row.retryCount += 1
  }

  #late(nowMs: number): Row[] {
    if (this.#rules.messageTimeoutMs <= 0) return []
    return [...this.#rows.values()].filter(({ fate }) => fate.kind === 'inFlight' && fate.deadlineMs <= nowMs)
  }

  #parkedUnder(ticket: number): Row[] {
    return [...this.#rows.values()].filter(({ fate }) => fate.kind === 'parking' && fate.ticket === ticket)
  }

  #settledBy({ consumer, ids }: { consumer: string; ids: readonly string[] }): Row[] {
    return this.#rowsOf(consumer).filter(({ event }) => ids.includes(event.id))
  }

  #rowsOf(consumer: string): Row[] {
    return [...this.#rows.values()].filter(({ fate }) => fate.kind === 'inFlight' && fate.consumer === consumer)
  }

  #events(wanted: (row: Row) => boolean): ModelEvent[] {
    return [...this.#rows.values()].filter(wanted).map(({ event }) => event)
  }
}

/** Whether what is left says that an event is settled. */
export function isSettledIn({ place, takenTo, open }: Remainder, index: number): boolean {
  return index <= indexOf(place) || (index <= indexOf(takenTo) && !open?.includes(String(index)))
}

function indexOf(place: string | undefined): number {
  return place === undefined ? -1 : Number(place)
}
