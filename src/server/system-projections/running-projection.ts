// A projection at work: it follows the log from its checkpoint, writes what each event gives rise to, and is live once it has caught up.
import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises'
import type { RecordedEvent } from '../../log/event.js'
import type { EventStore } from '../../log/event-store.js'
import { OPEN_ACCESS } from '../access/stream-access.js'
import { LinkResolver } from '../streams/link-resolver.js'
import { Checkpoint } from './checkpoint.js'
import type { SystemProjection } from './definitions.js'
import { ProjectionFaultError } from './faults.js'
import { isProjected, LINK_TYPE, type SourceEvent, sourceEventOf } from './source-event.js'
import type { Life } from './stamp.js'
import type { Due } from './target-stream.js'
import { TargetStreams } from './target-streams.js'

/** What projections need of the server. */
export interface ProjectionSurroundings {
  readonly store: EventStore
  /** Is told of what goes wrong where no call waits for it. */
  readonly onError: (error: unknown) => void
}

/** So many events are read again at most after a kill. */
const CHECKPOINT_EVERY = 4_000

/** So many records are dealt with at a time: what clients append meanwhile waits for the links of these. */
const RUN_MAX = 250

/** After an error of the store, until it is asked again. */
const AGAIN_MS = 1_000

export class RunningProjection {
  readonly #projection: SystemProjection
  readonly #surroundings: ProjectionSurroundings
  readonly #checkpoint: Checkpoint
  readonly #links: LinkResolver
  readonly #life: Life
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #targets: TargetStreams
  #readTo: RecordedEvent | undefined
  #savedAt: RecordedEvent | undefined
  #handled = 0
  #handledSinceSave = 0
  #workingMs = 0
  #fault: ProjectionFaultError | undefined

  constructor(projection: SystemProjection, life: Life, surroundings: ProjectionSurroundings) {
    this.#projection = projection
    this.#life = life
    this.#surroundings = surroundings
    this.#checkpoint = new Checkpoint(surroundings.store, projection.name, life)
    this.#links = new LinkResolver(surroundings.store, OPEN_ACCESS, undefined)
    this.#targets = new TargetStreams(surroundings.store, life)
    this.#running = this.#run()
  }

  /** Why it stopped by itself. */
  get fault(): string | undefined {
    return this.#fault?.message
  }

  /** What it has done since it was started; `workingMs` is the time of deciding what to write. */
  get progress() {
    return {
      readTo: this.#readTo?.position,
      savedAt: this.#savedAt?.position,
      handled: this.#handled,
      writing: this.#targets.writing,
      workingMs: this.#workingMs,
    }
  }

  /** Finishes what is being written. */
  async stop({ saveCheckpoint }: { saveCheckpoint: boolean }): Promise<void> {
    this.#stopping.abort()
    await this.#running
    if (saveCheckpoint && this.#handledSinceSave > 0) await this.#save()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#follow(signal)
        return
      } catch (error) {
        if (error instanceof ProjectionFaultError) this.#fault = error
        if (this.#fault || signal.aborted) return
        this.#surroundings.onError(error)
        // Nobody knows what was written.
        this.#targets = new TargetStreams(this.#surroundings.store, this.#life)
        await pause(AGAIN_MS, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    this.#readTo ??= this.#savedAt = await this.#checkpoint.load()
    const after = this.#readTo?.position ?? 'start'
    for await (const message of this.#surroundings.store.subscribeToAll({ after, signal })) {
      if (message.kind === 'events') await this.#takeInRuns(message.events, signal)
    }
  }

  async #takeInRuns(records: readonly RecordedEvent[], signal: AbortSignal): Promise<void> {
    for (let start = 0; start < records.length && !signal.aborted; start += RUN_MAX) {
      await this.#take(records.slice(start, start + RUN_MAX))
      // Also a long log of events that give rise to nothing must not keep calls waiting.
      await breathe()
    }
  }

  async #take(records: readonly RecordedEvent[]): Promise<void> {
    const startedMs = performance.now()
    const projected = records.filter(({ stream }) => isProjected(stream))
    const due = await this.#dueOf(projected)
    this.#workingMs += performance.now() - startedMs
    await this.#targets.write(due)
    this.#readTo = records.at(-1) ?? this.#readTo
    this.#handled += projected.length
    this.#handledSinceSave += projected.length
    if (this.#handledSinceSave >= CHECKPOINT_EVERY) await this.#save()
  }

  async #dueOf(records: readonly RecordedEvent[]): Promise<Map<string, Due[]>> {
    const due = new Map<string, Due[]>()
    for (const record of records) {
      const source = record.type === LINK_TYPE ? await this.#resolved(record) : sourceEventOf(record, { event: record })
      const emission = this.#projection.emit(source)
      if (!emission) continue
      const run = due.get(emission.target)
      if (run) run.push({ source, emission })
      else due.set(emission.target, [{ source, emission }])
    }
    return due
  }

  async #resolved(link: RecordedEvent): Promise<SourceEvent> {
    return sourceEventOf(link, await this.#links.resolve(link))
  }

  async #save(): Promise<void> {
    if (!this.#readTo) return
    await this.#checkpoint.save(this.#readTo)
    this.#savedAt = this.#readTo
    this.#handledSinceSave = 0
  }
}
