// Random histories of a group, held step by step against a small model; then it is stopped, cleanly or not, starts again from what
// it left behind, and must come to its end. `MAKEGOOD_HISTORIES` sets how many.
import { expect, it } from 'vitest'
import { GroupState } from '../../../src/server/persistent/group-state.js'
import type { GroupInput, GroupRules } from '../../../src/server/persistent/group-steps.js'
import type { Remainder } from '../../../src/server/persistent/progress.js'
import { STRATEGY_NAMES } from '../../../src/server/persistent/strategies.js'
import { Random } from '../../../src/workload/random.js'
import { seedFor } from '../../controls/seed.js'
import { GroupModel, type ModelEvent } from './group-model.js'

const HISTORIES = Number(process.env.MAKEGOOD_HISTORIES ?? 1_500)
const STEPS = 60

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
  #read = -1
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
    this.#state = new GroupState(this.#rules, { nowMs: 0 })
    this.#model = new GroupModel(this.#rules, { place: undefined })
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      if (this.#random.chance(0.4)) this.#nowMs += this.#random.between(0, 30)
      this.#apply(this.#anyInput())
    }
    const clean = this.#random.chance(0.5)
    const unsettled = sourceOnly(this.#model.unsettled)
    const left = clean ? this.#stop() : this.#model.checkpoint
    const given = this.#startAgain(left)
    if (clean) expect(given).toEqual([...unsettled, ...this.#unread()])
    else expect(given).toEqual(expect.arrayContaining([...unsettled, ...this.#unread()]))
    expect(this.#model.unsettled).toEqual([])
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
    if (!this.#state.wantsMore) return { kind: 'ticked' }
    if (this.#random.chance(0.2)) return this.#passOne()
    const events = Array.from({ length: this.#random.between(1, 4) }, () => this.#newEvent())
    return { kind: 'read', events }
  }

  #passOne(): Input {
    this.#source.push({ event: undefined })
    this.#read += 1
    return { kind: 'passed', place: String(this.#read) }
  }

  #newEvent(): ModelEvent {
    const index = this.#source.length
    // Now and then the id of an earlier event comes again.
    const id = this.#random.chance(0.1) ? `e${this.#random.between(0, index)}` : `e${index}`
    const event = { index, id, place: String(index), pin: `s${this.#random.between(0, 3)}`, bytes: 1 }
    this.#source.push({ event })
    this.#read = index
    return event
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

  #stop(): Remainder {
    this.#apply({ kind: 'stopping' })
    for (const ticket of this.#model.tickets) this.#apply({ kind: 'notParked', ticket })
    return this.#state.remainder
  }

  /** Starts a new state where the old one ended and settles all. Gives the events of the source that came, in their order. */
  #startAgain(left: Remainder): number[] {
    this.#state = new GroupState(this.#rules, { place: left.place, nowMs: this.#nowMs })
    this.#model = new GroupModel(this.#rules, { place: left.place })
    this.#source.push({ event: undefined })
    this.#newEvent()
    const consumer = this.#newName()
    this.#apply({ kind: 'joined', consumer, slots: 3 })
    this.#apply({ kind: 'ready', consumer })
    for (let at = indexAfter(left.place); at < this.#source.length; at++) this.#readAgain(at, left)
    const given = this.#settleAll(consumer)
    this.#nowMs += 1_000
    this.#apply({ kind: 'ticked' })
    expect(this.#state.remainder).toEqual({ place: String(this.#source.length - 1) })
    return given.toSorted((a, b) => a - b)
  }

  #readAgain(at: number, { takenTo, open }: Remainder): void {
    const event = this.#source[at]?.event
    const done = takenTo !== undefined && at <= Number(takenTo) && !open?.includes(String(at))
    this.#apply(event && !done ? { kind: 'read', events: [event] } : { kind: 'passed', place: String(at) })
  }

  #settleAll(consumer: string): number[] {
    const given: number[] = []
    for (let held = this.#model.heldBy(consumer); held.length > 0; held = this.#model.heldBy(consumer)) {
      given.push(...held.map(({ index }) => index))
      this.#apply({ kind: 'acked', consumer, ids: held.map(({ id }) => id) })
    }
    return given
  }

  /** The event that came while the group was down. */
  #unread(): number[] {
    return [this.#source.length - 1]
  }
}

function sourceOnly(events: readonly ModelEvent[]): number[] {
  return events.map(({ index }) => index).filter((index) => index >= 0)
}

function indexAfter(place: string | undefined): number {
  return place === undefined ? 0 : Number(place) + 1
}
