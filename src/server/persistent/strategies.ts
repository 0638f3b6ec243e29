// How a group shares its events among its consumers: four strategies, each of which names the consumer that an event goes to.

/** One consumer as strategies see it. */
export interface Candidate {
  readonly id: string
  /** How many events it wants to hold at a time. */
  readonly slots: number
  /** How many it holds. */
  readonly inFlight: number
  readonly inFlightBytes: number
  /** It cannot be given anything now: it reads too slowly. */
  readonly held: boolean
}

export interface Strategy {
  joined(consumer: Candidate): void
  left(consumer: Candidate): void
  /** The consumer that an event goes to now; undefined where it has to wait. `pin` is what pinning goes by. */
  choose(pin: string): Candidate | undefined
  /** An event with this pin was given out. */
  given(pin: string): void
  /** A consumer has settled it or lost it. */
  returned(pin: string): void
}

export const STRATEGY_NAMES = ['DispatchToSingle', 'RoundRobin', 'Pinned', 'PinnedByCorrelation'] as const
export type StrategyName = (typeof STRATEGY_NAMES)[number]

export function isStrategyName(name: string): name is StrategyName {
  return STRATEGY_NAMES.some((known) => known === name)
}

export function strategyOf(name: StrategyName): Strategy {
  switch (name) {
    case 'RoundRobin':
      return new Turns({ stays: false })
    case 'DispatchToSingle':
      return new Turns({ stays: true })
    case 'Pinned':
    case 'PinnedByCorrelation':
      return new Pins()
  }
}

/** What a consumer that does not answer may keep in the server's memory, however many events it asks for. */
const IN_FLIGHT_BYTES_MAX = 32 * 1024 * 1024

export function hasRoom({ slots, inFlight, inFlightBytes, held }: Candidate): boolean {
  return !held && inFlight < slots && inFlightBytes < IN_FLIGHT_BYTES_MAX
}

/** RoundRobin: a turn is one event. DispatchToSingle: a turn lasts until the consumer is full. */
class Turns implements Strategy {
  readonly #stays: boolean
  #order: Candidate[] = []

  constructor({ stays }: { stays: boolean }) {
    this.#stays = stays
  }

  joined(consumer: Candidate): void {
    this.#order.push(consumer)
  }

  left(consumer: Candidate): void {
    this.#order = this.#order.filter((other) => other !== consumer)
  }

  choose(): Candidate | undefined {
    const at = this.#order.findIndex(hasRoom)
    const chosen = this.#order[at]
    if (!chosen) return undefined
    const first = this.#stays ? at : at + 1
    this.#order = [...this.#order.slice(first), ...this.#order.slice(0, first)]
    return chosen
  }

  given(): void {}

  returned(): void {}
}

const BUCKETS = 1_024

/**
 * Pinned: events with one pin go to one consumer, in their order, for as long as it is there. Pins are spread over buckets; a bucket
 * goes to the consumer that has the fewest, and may go to another one only while none of its events is with a consumer.
 */
class Pins implements Strategy {
  readonly #owners: (Candidate | undefined)[] = new Array(BUCKETS).fill(undefined)
  readonly #inFlight = new Uint32Array(BUCKETS)
  readonly #counts = new Map<Candidate, number>()
  /** Buckets that ever had an owner: they are what is shared evenly. */
  readonly #used = new Set<number>()

  joined(consumer: Candidate): void {
    if (consumer.slots > 0) this.#counts.set(consumer, 0)
    for (const bucket of this.#used) this.#giveUpIfUneven(bucket)
  }

  left(consumer: Candidate): void {
    for (const bucket of this.#used) if (this.#owners[bucket] === consumer) this.#giveUp(bucket)
    this.#counts.delete(consumer)
  }

  choose(pin: string): Candidate | undefined {
    const bucket = bucketOf(pin)
    const owner = this.#owners[bucket] ?? this.#assign(bucket)
    return owner && hasRoom(owner) ? owner : undefined
  }

  given(pin: string): void {
    const bucket = bucketOf(pin)
    this.#inFlight[bucket] = (this.#inFlight[bucket] ?? 0) + 1
  }

  returned(pin: string): void {
    const bucket = bucketOf(pin)
    this.#inFlight[bucket] = (this.#inFlight[bucket] ?? 1) - 1
    this.#giveUpIfUneven(bucket)
  }

  #assign(bucket: number): Candidate | undefined {
    let owner: Candidate | undefined
    let fewest = Number.POSITIVE_INFINITY
    for (const [consumer, count] of this.#counts) if (count < fewest) [owner, fewest] = [consumer, count]
    if (!owner) return undefined
    this.#owners[bucket] = owner
    this.#counts.set(owner, fewest + 1)
    this.#used.add(bucket)
    return owner
  }

  #giveUpIfUneven(bucket: number): void {
    const owner = this.#owners[bucket]
    if (!owner || this.#inFlight[bucket] !== 0) return
    const share = Math.ceil(this.#used.size / this.#counts.size)
    if ((this.#counts.get(owner) ?? 0) > share) this.#giveUp(bucket)
  }

  #giveUp(bucket: number): void {
    const owner = this.#owners[bucket]
    if (!owner) return
    this.#owners[bucket] = undefined
    this.#counts.set(owner, (this.#counts.get(owner) ?? 1) - 1)
  }
}

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** FNV-1a. */
function bucketOf(pin: string): number {
  let hash = FNV_OFFSET
  for (let i = 0; i < pin.length; i++) hash = Math.imul(hash ^ pin.charCodeAt(i), FNV_PRIME)
  // The low bits alone spread names that differ in their last character only.
  return ((hash >>> 16) ^ hash) & (BUCKETS - 1)
}
