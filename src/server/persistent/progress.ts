// How far a group has come with its source: what was read and is not settled yet, and up to where a checkpoint may go for that.
import { isUpTo } from './places.js'

/** When checkpoints are due. */
export interface CheckpointBounds {
  /** So long after the last checkpoint a further one is due, */
  readonly afterMs: number
  /** if at least so many events were settled since. */
  readonly atLeast: number
  /** So many settled events make one due at once. */
  readonly atMost: number
}

/**
 * What is known of a group when it goes on elsewhere: its checkpoint. All up to `place` is settled. Of what stands behind it, up to `takenTo`, only `open` is
 * not: those are given out again, and the others not.
 */
export interface Remainder {
  /** Undefined: nothing was settled since the group began. */
  readonly place: string | undefined
  readonly takenTo?: string
  readonly open?: readonly string[]
}

interface Unsettled {
  readonly place: string
  /** The place before it: as far as a checkpoint may go while this one is open. */
  readonly previous: string | undefined
}

/** So many open events are written down with a checkpoint; where there are more, it only tells its place. */
const OPEN_MAX = 5_000

/** Numbers the events of a source in their order, from 1. */
export class Progress {
  readonly #bounds: CheckpointBounds
  readonly #open = new Map<number, Unsettled>()
  /** What an earlier run has left behind its place. */
  readonly #earlier: Pick<Remainder, 'takenTo' | 'open'>
  #read = 0
  #place: string | undefined
  #furthest = 0
  #furthestPlace: string | undefined
  #settledSince = 0
  #checkpointAt = 0
  #checkpointMs: number

  constructor(bounds: CheckpointBounds, { left, nowMs }: { left: Remainder; nowMs: number }) {
    this.#bounds = { ...bounds, atLeast: Math.max(1, bounds.atLeast), atMost: Math.max(1, bounds.atMost) }
    this.#place = left.place
    this.#earlier = left
    this.#checkpointMs = nowMs
  }

  /** Takes the next event of the source and gives its number. */
  read(place: string): number {
    this.#read += 1
    this.#open.set(this.#read, { place, previous: this.#place })
    this.#place = place
    return this.#read
  }

  /** Nothing that is wanted stands between what was read and this place. */
  passed(place: string): void {
    this.#place = place
  }

  /** The event was given to a consumer. */
  taken(number: number): void {
    if (number <= this.#furthest) return
    this.#furthest = number
    this.#furthestPlace = this.#open.get(number)?.place
  }

  /** The event needs no consumer any more. */
  settled(number: number): void {
    if (this.#open.delete(number)) this.#settledSince += 1
  }

  /** The checkpoint that is due. It counts as made. `timed`: time has passed, as against an event being settled. */
  due(nowMs: number, timed: boolean): Remainder | undefined {
    const { afterMs, atLeast, atMost } = this.#bounds
    const wanted = timed && nowMs - this.#checkpointMs >= afterMs ? atLeast : atMost
    if (this.#settledSince < wanted) return undefined
    const { number, place } = this.#settledTo()
    const isShort = this.#open.size <= OPEN_MAX
    if (!isShort && number - this.#checkpointAt < wanted) return undefined
    this.#settledSince = 0
    this.#checkpointAt = number
    this.#checkpointMs = nowMs
    return isShort ? this.remainder() : { place }
  }

  /** What is left at this moment, of this run and of those before it. */
  remainder(): Remainder {
    const left = this.#ownRemainder()
    const { takenTo, open = [] } = this.#earlier
    const isPassed = (end: string | undefined) => end !== undefined && takenTo !== undefined && isUpTo(takenTo, end)
    if (takenTo === undefined || isPassed(left.place) || isPassed(left.takenTo)) return left
    const read = [...this.#open.values()].map(({ place }) => place)
    const unread = open.filter((place) => this.#place === undefined || !isUpTo(place, this.#place))
    return { place: left.place, takenTo, open: [...read, ...unread] }
  }

  #ownRemainder(): Remainder {
    const { number, place } = this.#settledTo()
    if (this.#furthest <= number || this.#furthestPlace === undefined) return { place }
    const open: string[] = []
    for (const [at, unsettled] of this.#open) if (at <= this.#furthest) open.push(unsettled.place)
    // Where all that was given out is open, nothing has to be remembered beyond the place.
    if (open.length === this.#furthest - number) return { place }
    return { place, takenTo: this.#furthestPlace, open }
  }

  /** The last event before which all are settled. */
  #settledTo(): { readonly number: number; readonly place: string | undefined } {
    for (const [number, { previous }] of this.#open) return { number: number - 1, place: previous }
    return { number: this.#read, place: this.#place }
  }
}
