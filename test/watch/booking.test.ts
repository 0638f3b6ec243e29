// The real booking, live: every archetype of the workload, followed event by event with a small memory and restarts, and compared with a replay of the
// same cut and now at many places.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { cutAtEvent } from '../../src/engine/cut.js'
import { canonicalize } from '../../src/engine/digest.js'
import { compareFindings, type Finding } from '../../src/engine/finding.js'
import { replay } from '../../src/engine/replay.js'
import type { RecordedEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { formatPosition } from '../../src/log/position.js'
import { prefixesOf } from '../../src/log/stream.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import type { CheckpointEntry } from '../../src/watch/checkpoint.js'
import type { Detection } from '../../src/watch/detection.js'
import { NO_FLOW } from '../../src/watch/flow.js'
import { type Resumed, resume } from '../../src/watch/resume.js'
import { generate } from '../../src/workload/generate.js'
import { Random } from '../../src/workload/random.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { eventsOfLog } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'

const BOOKINGS = 1_000
const COMPARISONS = 12
const HOUR_MS = 3_600_000

function open(store: EventStore): Promise<Resumed> {
  return resume({ store, name: 'w', projection: booking, newId: randomUUID, residentsMax: 50 })
}

/** When an event happened, in its own words; 0 where it cannot be read. */
function occurredAt({ data }: RecordedEvent): number {
  const [, time = ''] = /"occurredAt":"([^"]+)"/.exec(new TextDecoder().decode(data)) ?? []
  return Date.parse(time) || 0
}

/** A watch that is given events by hand, and what it has found so far. */
class Followed {
  now = 0
  memory: Resumed
  readonly #changed = new Set<string>()

  private constructor(
    readonly store: EventStore,
    memory: Resumed,
  ) {
    this.memory = memory
  }

  static async open(store: EventStore): Promise<Followed> {
    return new Followed(store, await open(store))
  }

  /** Events, and the time that passes with them. */
  async follow(events: readonly RecordedEvent[]): Promise<void> {
    for (let start = 0; start < events.length; start += 40) {
      const batch = events.slice(start, start + 40)
      await this.memory.detection.add(batch)
      await this.judgeAt(Math.max(...batch.map(occurredAt)))
    }
  }

  async judgeAt(now: number): Promise<void> {
    this.now = Math.max(this.now, now)
    for (const subject of await this.memory.detection.judge(this.now)) this.#changed.add(subject)
  }

  get findings(): Finding[] {
    return [...this.memory.detection.found.values()].flat().map(({ finding }) => finding)
  }

  /** Saves, forgets everything and goes on from what was saved. */
  async restart(last: RecordedEvent): Promise<void> {
    const { detection, checkpoints, keys } = this.memory
    await keys.write(detection.keys.takeChanges(), randomUUID)
    const { name, version } = booking
    const head = { projection: name, version, position: formatPosition(last.position), eventId: last.id }
    const rest = { now: detection.now, alertHeads: {}, keysHead: keys.head, ownAlerts: [], flow: NO_FLOW }
    const entries = new Map([...this.#changed].map((subject) => [subject, entryOf(detection, subject)]))
    expect(await checkpoints.save({ ...head, ...rest }, entries)).toBe('appended')
    this.#changed.clear()
    this.memory = await open(this.store)
  }
}

function entryOf(detection: Detection, subject: string): CheckpointEntry | undefined {
  const deadline = detection.deadlines.of(subject) ?? null
  const isOpen = detection.found.has(subject)
  return deadline === null && !isOpen ? undefined : { deadline, isOpen, alerts: [] }
}

async function replayed(store: EventStore, last: RecordedEvent, now: number): Promise<readonly Finding[]> {
  const cut = cutAtEvent(last)
  return (await replay(store, booking, { now, ...(cut && { cut }) })).findings
}

describe('the booking, watched', () => {
  it('is found as a replay finds it, at every place looked at', async () => {
    const seed = seedFor('bookings watched')
    const random = new Random(seed, 0)
    const store = openMemoryStore()
    const workload = generate({ bookings: BOOKINGS, seed, scenario: 'mixed' })
    await writeWorkload(store, workload)
    const events = await eventsOfLog(store, { filter: { streamPrefixes: prefixesOf(booking.categories) } })
    const followed = await Followed.open(store)
    const found: Finding[] = []
    for (let part = 1; part <= COMPARISONS; part += 1) {
      const run = events.slice((events.length * (part - 1)) / COMPARISONS, (events.length * part) / COMPARISONS)
      const last = run.at(-1) as RecordedEvent
      await followed.follow(run)
      // Time goes on without any event: for an hour or so, or for days, until limits pass.
      await followed.judgeAt(followed.now + random.fraction() * (part % 3 === 0 ? 200 : 2) * HOUR_MS)
      if (part === COMPARISONS) await followed.judgeAt(Date.parse(workload.marker.now))
      const expected = await replayed(store, last, followed.now)
      expect(canonicalize(followed.findings.sort(compareFindings))).toBe(canonicalize(expected))
      found.push(...expected)
      if (part % 2 === 0) await followed.restart(last)
    }
    const rules = new Set(found.map(({ rule }) => rule))
    process.stdout.write(
      `bookings watched: ${BOOKINGS} bookings, ${events.length} events, ${COMPARISONS} comparisons, ${found.length} findings of ${rules.size} rules\n`,
    )
    expect(rules.size).toBeGreaterThan(25)
  })
})
