// The groups of a server: which there are, made, changed and deleted one change at a time, and at work for as long as it serves.
import { unavailable } from '../status.js'
import { CheckpointStream } from './checkpoint-stream.js'
import { GroupCatalog } from './group-catalog.js'
import { checkpointStreamOf, type GroupDefinition, type GroupName, keyOf, parkedStreamOf } from './group-definition.js'
import { groupExists, groupMissing } from './group-statuses.js'
import type { GroupSurroundings } from './group-surroundings.js'
import { ParkedStream } from './parked-stream.js'
import { RunningGroup } from './running-group.js'

/** How often groups look at their clocks: for answers that do not come and checkpoints that are due. */
const TICK_MS = 200

export class PersistentSubscriptions {
  readonly #surroundings: GroupSurroundings
  readonly #groups = new Map<string, RunningGroup>()
  readonly #timer: NodeJS.Timeout
  #catalog: GroupCatalog
  #changing: Promise<unknown> = Promise.resolve()
  #stopped = false

  private constructor(surroundings: GroupSurroundings, catalog: GroupCatalog) {
    this.#surroundings = surroundings
    this.#catalog = catalog
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Takes up all groups in a store. One process at a time may do so. */
  static async open(surroundings: GroupSurroundings): Promise<PersistentSubscriptions> {
    const subscriptions = new PersistentSubscriptions(surroundings, await GroupCatalog.load(surroundings))
    await subscriptions.#startAll()
    return subscriptions
  }

  get all(): RunningGroup[] {
    return [...this.#groups.values()]
  }

  /** Throws the status of a group that is not there. */
  get(name: GroupName): RunningGroup {
    const group = this.#groups.get(keyOf(name))
    if (group?.definition.source !== name.source) throw groupMissing(name)
    return group
  }

  /** Throws the status of a group that is there. */
  create(definition: GroupDefinition): Promise<void> {
    return this.#change(async () => {
      if (this.#groups.has(keyOf(definition))) throw groupExists(definition)
      await this.#clear(definition)
      await this.#catalog.set(definition)
      await this.#start(definition)
    })
  }

  /** Drops the consumers. The group goes on where it was; where it has not begun, at its new start. */
  update(name: GroupName, changed: (before: GroupDefinition) => Promise<GroupDefinition>): Promise<void> {
    return this.#change(async () => {
      const group = this.get(name)
      const definition = await changed(group.definition)
      await this.#catalog.set(definition)
      await group.stop()
      await this.#start(definition)
    })
  }

  delete(name: GroupName): Promise<void> {
    return this.#change(async () => {
      const group = this.get(name)
      await this.#catalog.delete(name)
      this.#groups.delete(keyOf(name))
      await group.delete()
    })
  }

  /** Stops all groups and takes them up again as they stand in the log. */
  restart(): Promise<void> {
    return this.#change(async () => {
      await this.#stopAll()
      this.#catalog = await GroupCatalog.load(this.#surroundings)
      await this.#startAll()
    })
  }

  /** Drops all consumers and leaves behind what is not settled. Nothing can be changed any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#changing.catch(() => undefined)
    await this.#stopAll()
  }

  /** One change after the other. */
  #change<Result>(change: () => Promise<Result>): Promise<Result> {
    const changed = this.#changing.then(() => {
      if (this.#stopped) throw unavailable('The server is stopping')
      return change()
    })
    this.#changing = changed.catch(() => undefined)
    return changed
  }

  /** What an earlier group of the name has left, where the process ended while it was deleted. */
  async #clear(name: GroupName): Promise<void> {
    const { store } = this.#surroundings
    await new CheckpointStream(store, checkpointStreamOf(name)).delete()
    await new ParkedStream(store, parkedStreamOf(name)).delete()
  }

  async #start(definition: GroupDefinition): Promise<void> {
    this.#groups.set(keyOf(definition), await RunningGroup.start(definition, this.#surroundings))
  }

  async #startAll(): Promise<void> {
    await Promise.all(this.#catalog.all.map((definition) => this.#start(definition)))
  }

  async #stopAll(): Promise<void> {
    const stopped = await Promise.allSettled(this.all.map((group) => group.stop()))
    this.#groups.clear()
    for (const result of stopped) if (result.status === 'rejected') this.#surroundings.onError(result.reason)
  }

  #tick(): void {
    for (const group of this.#groups.values()) group.tick()
  }
}
