// A detection that others are asked beside: whoever was judged is asked about, and judged again once the answer is there, or has grown too old.
import { rulesOf } from '../engine/detect.js'
import type { Projection } from '../engine/projection.js'
import type { RecordedEvent } from '../log/event.js'
import type { Detection } from './detection.js'
import type { ReadingEvents } from './first-reading.js'
import type { LiveDetection } from './live-detection.js'
import type { LiveLookups } from './live-lookups.js'

export class LookingDetection implements Detection {
  readonly #inner: LiveDetection
  readonly #lookups: LiveLookups
  /** Rules that are asked only where the answers are known. */
  readonly #needing: ReadonlySet<string>
  readonly found: LiveDetection['found']
  readonly deadlines: LiveDetection['deadlines']
  readonly keys: LiveDetection['keys']
  readonly residents: LiveDetection['residents']

  constructor(inner: LiveDetection, lookups: LiveLookups, projection: Projection) {
    this.#inner = inner
    this.#lookups = lookups
    this.#needing = new Set(rulesOf(projection).flatMap((rule) => ('uses' in rule ? [rule.id] : [])))
    this.found = inner.found
    this.deadlines = inner.deadlines
    this.keys = inner.keys
    this.residents = inner.residents
  }

  get position(): Detection['position'] {
    return this.#inner.position
  }

  get now(): number {
    return this.#inner.now
  }

  get isSettled(): boolean {
    return this.#inner.isSettled
  }

  touch(subject: string): void {
    this.#inner.touch(subject)
  }

  add(events: readonly RecordedEvent[]): Promise<void> {
    return this.#inner.add(events)
  }

  addFromStart(now: number, events: ReadingEvents): Promise<RecordedEvent | undefined> {
    return this.#inner.addFromStart(now, events)
  }

  async judge(now: number): Promise<readonly string[]> {
    const changed = this.#lookups.takeChanged()
    // Of those whose answers are too old, only what is wrong is asked about again.
    const wrong = changed.filter((subject) => this.found.has(subject))
    for (const subject of changed) this.#inner.touch(subject)
    const judged = await this.#inner.judge(now)
    const isChanged = new Set(changed)
    this.#lookups.want([...wrong, ...judged.filter((subject) => !isChanged.has(subject))])
    return judged
  }

  behindSince(): number | undefined {
    const failingMs = this.#lookups.failingMs
    return failingMs === undefined ? undefined : this.now - failingMs
  }

  awaits(subject: string): boolean {
    return this.#lookups.awaits(subject)
  }

  isUnanswered(subject: string): boolean {
    return this.#lookups.isUnanswered(subject)
  }

  cannotTell(rule: string, subject: string): boolean {
    return this.#needing.has(rule) && this.#lookups.answersOf(subject) === undefined
  }
}
