// Random histories of a group, held step by step against a small model, over stops and kills: each time it starts again from what it
// left behind, and in the end it must come through. `MAKEGOOD_HISTORIES` sets how many.
import { expect, it } from 'vitest'
import { GroupState } from '../../../src/server/persistent/group-state.js'
import type { GroupInput, GroupRules } from '../../../src/server/persistent/group-steps.js'
import type { Remainder } from '../../../src/server/persistent/progress.js'
import { STRATEGY_NAMES } from '../../../src/server/persistent/strategies.js'
import { Random } from '../../../src/workload/random.js'
import { seedFor } from '../../controls/seed.js'
import { GroupModel, isSettledIn, type ModelEvent } from './group-model.js'

const HISTORIES = Number(process.env.MAKEGOOD_HISTORIES ?? 1_500)
const RUNS = 3
const STEPS = 40

it('random histories of a group go as in the model, and nothing is lost', () => {
  const seed = seedFor('histories of a group')
  for (let history = 0; history < HISTORIES; history++) {
    try {
      new History(new Random(seed, history)).run()
    } catch (error) {
      throw new Error(`history ${history} of seed ${seed}`, { cause: error })
    }
  }
})

type Input = GroupInput<ModelEvent>

/** Of the source: an event, or something that the group does not want. */
interface Place {
  readonly event: ModelEvent | undefined
}

class History {
  readonly #random: Random
  readonly #rules: GroupRules
  readonly #source: Place[] = []
  #state: GroupState<ModelEvent>
  #model: GroupModel
  /** What the run before has left, and the events that are settled by that. */
  #left: Remainder = { place: undefined }
  #settled = new Set<number>()
  /** The place of the source that is read next. */
  #next = 0
  #nowMs = 0
  #names = 0
  #replayed = 0

  constructor(random: Random) {
    this.#random = random
    this.#rules = {
      strategy: random.pick(STRATEGY_NAMES),
      maxRetryCount: random.between(-1, 3),
      messageTimeoutMs: random.pick([0, 20, 50]),
      bufferSize: random.between(0, 12),
      readBatchSize: random.between(0, 5),
      checkpoints: {
        afterMs: random.between(0, 30),
        atLeast: random.between(0, 4),
        atMost: random.between(0, 8),
      },
    }
    this.#state = new GroupState(this.#rules, { left: this.#left, nowMs: 0 })
    this.#model = new GroupModel(this.#rules, this.#left)
  }

  run(): void {
    for (let run = 0; run < RUNS; run++) {
      this.#work()
      this.#startAgain(this.#random.chance(0.5) ? this.#stop() : this.#kill())
    }
    this.#finish()
  }

  #work(): void {
    for (let step = 0; step < STEPS; step++) {
      if (this.#random.chance(0.4)) this.#nowMs += this.#random.between(0, 30)
      this.#apply(this.#anyInput())
    }
  }

  #apply(input: Input): void {
    const effects = this.#state.apply(input, this.#nowMs)
    this.#model.step(input, this.#nowMs, effects)
    expect(this.#state.counts.inFlight).toBe(this.#model.inFlight)
  }

  #anyInput(): Input {
    const any = this.#random.between(0, 99)
    if (any < 25) return this.#anyReading()
    if (any < 35) return { kind: 'joined', consumer: this.#newName(), slots: this.#random.between(0, 4) }
    if (any < 50) return this.#aboutConsumer()
    if (any < 70) return { kind: 'acked', ...this.#answer() }
    if (any < 82) return this.#anyNack()
    if (any < 90) return this.#anyParking()
    if (any < 94) return this.#anyReplay()
    return { kind: 'ticked' }
  }

  #anyReading(): Input {
    return this.#state.wantsMore ? this.#readNext() : { kind: 'ticked' }
  }

  /** What the group has not read yet, as it stands in the source; what an earlier run has settled is passed over. */
  #readNext(): Input {
    const events: ModelEvent[] = []
    for (let left = this.#random.between(1, 4); left > 0; left--) {
      if (this.#next === this.#source.length) this.#source.push(this.#newPlace())
      const event = this.#source[this.#next]?.event
      if (!event || isSettledIn(this.#left, event.index))
        return events.length > 0 ? { kind: 'read', events } : this.#pass()
      events.push(event)
      this.#next += 1
    }
    return { kind: 'read', events }
  }

  #pass(): Input {
    this.#next += 1
    return { kind: 'passed', place: String(this.#next - 1) }
  }

  #newPlace(): Place {
    if (this.#random.chance(0.15)) return { event: undefined }
    const index = this.#source.length
    // Now and then the id of an earlier event comes again.
    const id = this.#random.chance(0.1) ? `e${this.#random.between(0, index)}` : `e${index}`
    return { event: { index, id, place: String(index), pin: `s${this.#random.between(0, 3)}`, bytes: 1 } }
  }

  #newName(): string {
    this.#names += 1
    return `c${this.#names}`
  }

  #aboutConsumer(): Input {
    const consumer = this.#anyConsumer()
    if (this.#random.chance(0.2)) return { kind: 'left', consumer }
    return { kind: this.#model.isHeld(consumer) ? 'ready' : 'held', consumer }
  }

  #anyConsumer(): string {
    return this.#random.pick([...this.#model.consumers, 'nobody'])
  }

  /** Of what a consumer holds, something; sometimes ids that it does not hold, or one twice. */
  #answer(): { consumer: string; ids: string[] } {
    const consumer = this.#anyConsumer()
    const held = this.#model.heldBy(consumer).map(({ id }) => id)
    const ids = this.#random.shuffled(held).slice(0, this.#random.between(1, 3))
    if (this.#random.chance(0.1)) ids.push(`e${this.#random.between(0, this.#source.length)}`)
    if (this.#random.chance(0.1)) ids.push(...ids)
    return { consumer, ids }
  }

  #anyNack(): Input {
    const action = this.#random.pick(['retry', 'park', 'skip'] as const)
    return { kind: 'nacked', ...this.#answer(), action, reason: 'why' }
  }

  #anyParking(): Input {
    const ticket = this.#random.pick([...this.#model.tickets, 1_000_000])
    return { kind: this.#random.chance(0.8) ? 'parked' : 'notParked', ticket }
  }

  #anyReplay(): Input {
    this.#replayed += 1
    const index = -this.#replayed
    const event = { index, id: `p${this.#replayed}`, place: '', pin: 's0', bytes: 1 }
    return { kind: 'replayed', events: [{ event, parkedAt: this.#replayed }] }
  }

  /** All that was settled stays so, and nothing else is. */
  #stop(): Remainder {
    this.#apply({ kind: 'stopping' })
    for (const ticket of this.#model.tickets) this.#apply({ kind: 'notParked', ticket })
    const left = this.#state.remainder
    expect(this.#settledBy(left)).toEqual(this.#trulySettled())
    return left
  }

  /** Some of what was settled may come again, but nothing else is lost. */
  #kill(): Remainder {
    const left = this.#model.checkpoint
    const truly = new Set(this.#trulySettled())
    expect(this.#settledBy(left).filter((index) => !truly.has(index))).toEqual([])
    return left
  }

  #startAgain(left: Remainder): void {
    this.#left = left
    this.#settled = new Set(this.#settledBy(left))
    this.#next = left.place === undefined ? 0 : Number(left.place) + 1
    this.#state = new GroupState(this.#rules, { left, nowMs: this.#nowMs })
    this.#model = new GroupModel(this.#rules, left)
  }

  /** The events of the source that are settled by what is left. */
  #settledBy(left: Remainder): number[] {
    return this.#source.flatMap(({ event }) => (event && isSettledIn(left, event.index) ? [event.index] : []))
  }

  #trulySettled(): number[] {
    const now = this.#model.settled.map(({ index }) => index).filter((index) => index >= 0)
    return [...this.#settled, ...now].toSorted((a, b) => a - b)
  }

  /** With a consumer that acknowledges everything, each event that is not settled comes once, and then all are. */
  #finish(): void {
    this.#source.push(this.#newPlace(), { event: undefined })
    const open = this.#source.flatMap(({ event }) => (event && !this.#settled.has(event.index) ? [event.index] : []))
    const consumer = this.#newName()
    this.#apply({ kind: 'joined', consumer, slots: 3 })
    this.#apply({ kind: 'ready', consumer })
    const given: number[] = []
    for (const end = this.#source.length; this.#next < end; ) {
      const event = this.#source[this.#next]?.event
      const isWanted = event && !isSettledIn(this.#left, event.index)
      this.#next += 1
      this.#apply(isWanted ? { kind: 'read', events: [event] } : { kind: 'passed', place: String(this.#next - 1) })
      given.push(...this.#ackAll(consumer))
    }
    expect(given.toSorted((a, b) => a - b)).toEqual(open)
    expect(this.#state.remainder).toEqual({ place: String(this.#source.length - 1) })
  }

  #ackAll(consumer: string): number[] {
    const given: number[] = []
    for (let held = this.#model.heldBy(consumer); held.length > 0; held = this.#model.heldBy(consumer)) {
      given.push(...held.map(({ index }) => index))
      this.#apply({ kind: 'acked', consumer, ids: held.map(({ id }) => id) })
    }
    return given
  }
}
