// The live detection against the replay: event by event, with any delays, doubled and late events, subjects dropped from memory, restarts from
// the last checkpoint or an older one. At each place in the log it must have found exactly what a replay of the same cut and now finds.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutAtEvent } from '../../src/engine/cut.js'
import { canonicalize } from '../../src/engine/digest.js'
import { compareFindings, type Finding } from '../../src/engine/finding.js'
import { replay } from '../../src/engine/replay.js'
import type { RecordedEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { comparePositions, formatPosition } from '../../src/log/position.js'
import { prefixesOf } from '../../src/log/stream.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import type { CheckpointEntry } from '../../src/watch/checkpoint.js'
import type { Detection } from '../../src/watch/detection.js'
import { type Resumed, resume } from '../../src/watch/resume.js'
import { eventsOfLog } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'
import { type Happening, happen, happening, liveAirline, MINUTE_MS, NOW } from './live-airline.js'

/** Histories on the memory store; `MAKEGOOD_RUNS` asks for another number. */
const RUNS = Number(process.env.MAKEGOOD_RUNS ?? 250)

type Command =
  | { readonly kind: 'happen'; readonly happening: Happening }
  /** The next events reach the watch, behind some that it has had already. */
  | { readonly kind: 'deliver'; readonly count: number; readonly doubled: number }
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'save' }
  /** The process ends and another one goes on from what was saved. */
  | { readonly kind: 'restart' }

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: happening.map((one) => ({ kind: 'happen', happening: one }) as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      count: fc.integer({ min: 1, max: 4 }),
      doubled: fc.nat(3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), minutes: fc.constantFrom(0, 1, 5, 11) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'save' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' } as const) },
)

interface Story {
  readonly commands: readonly Command[]
  readonly residentsMax: number
  /** Without a checkpoint, whatever is in the log is taken in at one go. */
  readonly isAtOnce: boolean
}

const story: fc.Arbitrary<Story> = fc.record({
  commands: fc.array(command, { minLength: 15, maxLength: 40 }),
  residentsMax: fc.constantFrom(0, 1, 100),
  isAtOnce: fc.boolean(),
})

/** How much was compared, to be printed. */
class Tally {
  comparisons = 0
  findings = 0
  restarts = 0
  /** Logs that were taken in at one go. */
  atOnce = 0
}

/** A watch without a loop: the test says when events reach it and when it dies. */
class WatchedLog {
  #memory: Resumed | undefined
  #now = NOW
  readonly #changed = new Set<string>()

  constructor(
    readonly store: EventStore,
    readonly story: Omit<Story, 'commands'>,
    readonly tally: Tally,
  ) {}

  async run(one: Command): Promise<void> {
    if (one.kind === 'happen') await happen(this.store, one.happening)
    else if (one.kind === 'wait') this.#now += one.minutes * MINUTE_MS
    else if (one.kind === 'deliver') await this.#deliver(one)
    else if (one.kind === 'save') await this.save()
    else this.#die()
  }

  /** All that is in the log, one event after the other. */
  async catchUp(): Promise<void> {
    for (let left = (await this.#ahead()).length; left > 0; left -= 1) await this.#deliver({ count: 1, doubled: 0 })
    this.#now += 60 * MINUTE_MS
    await this.compare()
  }

  async #deliver({ count, doubled }: { count: number; doubled: number }): Promise<void> {
    const events = await this.#events()
    const next = events.length - (await this.#ahead()).length
    await (await this.#detection()).add(events.slice(Math.max(0, next - doubled), next + count))
    await this.compare()
  }

  async compare(): Promise<void> {
    const detection = await this.#detection()
    for (const subject of await detection.judge(this.#now)) this.#changed.add(subject)
    const found = [...detection.found.values()].flat().map(({ finding }) => finding)
    const expected = await this.#replay(detection)
    expect(canonicalize([...found].sort(compareFindings))).toBe(canonicalize(expected))
    this.tally.comparisons += 1
    this.tally.findings += expected.length
  }

  async #replay({ position, now }: Detection): Promise<readonly Finding[]> {
    if (!position) return []
    const last = (await this.#events()).find((event) => comparePositions(event.position, position) === 0)
    const cut = cutAtEvent(last as RecordedEvent)
    return (await replay(this.store, liveAirline, { now, ...(cut && { cut }) })).findings
  }

  async save(): Promise<void> {
    await this.compare()
    const { detection, checkpoints, keys } = this.#memory as Resumed
    const { position } = detection
    if (!position) return
    const last = (await this.#events()).find((event) => comparePositions(event.position, position) === 0)
    await keys.write(detection.keys.takeChanges(), randomUUID)
    const entries = [...this.#changed].map((subject) => [subject, entryOf(detection, subject)] as const)
    const head = {
      projection: liveAirline.name,
      version: liveAirline.version,
      position: formatPosition(position),
      eventId: last?.id ?? '',
      now: detection.now,
      alertHeads: {},
      keysHead: keys.head,
      ownAlerts: [],
      flow: { count: 0, firstAt: null, first: null, last: null },
    }
    expect(await checkpoints.save(head, new Map(entries))).toBe('appended')
    this.#changed.clear()
  }

  #die(): void {
    if (this.#memory) this.tally.restarts += 1
    this.#memory = undefined
    this.#changed.clear()
  }

  async #detection(): Promise<Detection> {
    if (this.#memory) return this.#memory.detection
    const { store, story, tally } = this
    const { residentsMax } = story
    this.#memory = await resume({ store, name: 'w', projection: liveAirline, newId: randomUUID, residentsMax })
    const { detection } = this.#memory
    if (story.isAtOnce && !detection.position) {
      const unheard = { onEvent: () => {}, onStep: async () => {}, signal: new AbortController().signal }
      if (await detection.addFromStart?.(this.#now, unheard)) tally.atOnce += 1
    }
    return detection
  }

  #events(): Promise<RecordedEvent[]> {
    return eventsOfLog(this.store, { filter: { streamPrefixes: prefixesOf(liveAirline.categories) } })
  }

  async #ahead(): Promise<RecordedEvent[]> {
    const { position } = await this.#detection()
    return (await this.#events()).filter((event) => !position || comparePositions(event.position, position) > 0)
  }
}

function entryOf(detection: Detection, subject: string): CheckpointEntry | undefined {
  const deadline = detection.deadlines.of(subject) ?? null
  const isOpen = detection.found.has(subject)
  return deadline === null && !isOpen ? undefined : { deadline, isOpen, alerts: [] }
}

async function checkStories(
  home: string,
  runs: number,
  withStore: (run: (store: EventStore) => Promise<void>) => Promise<void>,
) {
  const name = `live equals replay, ${home}`
  const tally = new Tally()
  await fc.assert(
    fc.asyncProperty(story, async ({ commands, ...rest }) => {
      await withStore(async (store) => {
        const log = new WatchedLog(store, rest, tally)
        for (const one of commands) await log.run(one)
        await log.catchUp()
      })
    }),
    { seed: seedFor(name), numRuns: runs },
  )
  const { comparisons, findings, restarts, atOnce } = tally
  process.stdout.write(
    `${name}: ${runs} histories, ${comparisons} comparisons, ${findings} findings, ${restarts} restarts, ${atOnce} logs at one go\n`,
  )
  expect(findings).toBeGreaterThan(runs)
  expect(restarts).toBeGreaterThan(runs / 10)
  expect(atOnce).toBeGreaterThan(runs / 10)
}

describe('at each place in the log, the live detection has found what a replay finds', () => {
  it('on the memory store', async () => {
    await checkStories('memory', RUNS, async (run) => {
      await run(openMemoryStore())
    })
  })

  it('on the embedded store', async () => {
    await checkStories('embedded', Math.ceil(RUNS / 8), async (run) => {
      const folder = mkdtempSync(join(tmpdir(), 'makegood-watch-'))
      const store = await openEmbeddedStore({ folder })
      try {
        await run(store)
      } finally {
        await store.close()
        rmSync(folder, { recursive: true, force: true })
      }
    })
  })
})
