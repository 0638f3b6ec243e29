// One system projection of a server: enabled or not, at work or stopped, and what can be told of it.
import { comparePositions, type Position } from '../../log/position.js'
import { endOfLog } from '../streams/end-of-log.js'
import type { SystemProjection } from './definitions.js'
import { loadSettings, type ProjectionSettings, saveSettings } from './projection-settings.js'
import { type ProjectionSurroundings, RunningProjection } from './running-projection.js'

export interface ProjectionStatistics {
  readonly name: string
  readonly settings: ProjectionSettings
  readonly status: string
  /** Why it stopped by itself; empty where it did not. */
  readonly reason: string
  /** Undefined: before the first event. */
  readonly readTo: Position | undefined
  readonly savedAt: Position | undefined
  /** Per cent of the log. */
  readonly progress: number
  /** Events since it was started. */
  readonly handled: number
  /** Streams that are being written. */
  readonly writing: number
  readonly workingMs: number
}

const NO_PROGRESS = { readTo: undefined, savedAt: undefined, handled: 0, writing: 0, workingMs: 0 }

export class ManagedProjection {
  readonly #projection: SystemProjection
  readonly #surroundings: ProjectionSurroundings
  #settings: ProjectionSettings
  #running: RunningProjection | undefined
  /** Of the last run, for as long as there is no other. */
  #left: RunningProjection['progress'] = NO_PROGRESS
  #wasAborted = false
  #isOver = false
  #changing: Promise<unknown> = Promise.resolve()

  private constructor(
    projection: SystemProjection,
    settings: ProjectionSettings,
    surroundings: ProjectionSurroundings,
  ) {
    this.#projection = projection
    this.#settings = settings
    this.#surroundings = surroundings
  }

  /** At work unless it was disabled. */
  static async open(projection: SystemProjection, surroundings: ProjectionSurroundings): Promise<ManagedProjection> {
    const settings = await loadSettings(surroundings.store, projection.name)
    const managed = new ManagedProjection(projection, settings, surroundings)
    if (settings.enabled) managed.#start()
    return managed
  }

  get name(): string {
    return this.#projection.name
  }

  /** Does nothing to one that is at work; one that has stopped by itself begins again. */
  enable(): Promise<void> {
    return this.#change(async () => {
      if (this.#running && this.#running.fault === undefined) return
      await this.#set({ ...this.#settings, enabled: true })
      await this.#end({ saveCheckpoint: false })
      this.#start()
    })
  }

  disable({ saveCheckpoint }: { saveCheckpoint: boolean }): Promise<void> {
    return this.#change(async () => {
      if (this.#settings.enabled) await this.#set({ ...this.#settings, enabled: false })
      this.#wasAborted = !saveCheckpoint
      await this.#end({ saveCheckpoint })
    })
  }

  /** Begins at the start of the log, with streams from which all that was written before is gone. */
  reset(): Promise<void> {
    return this.#change(async () => {
      const version = this.#settings.version + 1
      await this.#end({ saveCheckpoint: false })
      await this.#set({ ...this.#settings, epoch: version, version })
      this.#left = NO_PROGRESS
      if (this.#settings.enabled) this.#start()
    })
  }

  restart(): Promise<void> {
    return this.#change(async () => {
      await this.#end({ saveCheckpoint: true })
      if (this.#settings.enabled) this.#start()
    })
  }

  /** For good; what was enabled is at work again when the server starts again. */
  stop(): Promise<void> {
    this.#isOver = true
    return this.#change(() => this.#end({ saveCheckpoint: true }))
  }

  async statistics(): Promise<ProjectionStatistics> {
    const progress = this.#running?.progress ?? this.#left
    return {
      name: this.name,
      settings: this.#settings,
      status: this.#status,
      reason: this.#running?.fault ?? '',
      progress: await this.#percentOf(progress.readTo),
      ...progress,
    }
  }

  get #status(): string {
    if (this.#running) return this.#running.fault === undefined ? 'Running' : 'Faulted (Enabled)'
    return this.#wasAborted ? 'Aborted/Stopped' : 'Stopped'
  }

  async #percentOf(readTo: Position | undefined): Promise<number> {
    const end = await endOfLog(this.#surroundings.store)
    if (!end || (readTo && comparePositions(readTo, end) >= 0)) return 100
    // One digit, as on a real server.
    return readTo ? Math.round((Number(readTo.commit) / Number(end.commit)) * 1_000) / 10 : 0
  }

  #start(): void {
    if (this.#isOver) return
    this.#wasAborted = false
    const life = { id: this.#projection.id, ...this.#settings }
    this.#running = new RunningProjection(this.#projection, life, this.#surroundings)
  }

  async #end(options: { saveCheckpoint: boolean }): Promise<void> {
    const running = this.#running
    if (!running) return
    try {
      await running.stop(options)
    } finally {
      this.#left = running.progress
      this.#running = undefined
    }
  }

  async #set(settings: ProjectionSettings): Promise<void> {
    await saveSettings(this.#surroundings.store, this.name, settings)
    this.#settings = settings
  }

  /** One change after the other. */
  #change(change: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(change)
    this.#changing = changed.catch(() => undefined)
    return changed
  }
}
