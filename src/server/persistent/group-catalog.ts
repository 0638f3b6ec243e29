// Which groups there are, kept in the log: each change of a group is an event of one stream.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { jsonEvent, type RecordedEvent } from '../../log/event.js'
import type { EventStore } from '../../log/event-store.js'
import type { ExpectedRevision } from '../../log/revision.js'
import { operationTimedOut, unavailable } from '../status.js'
import { CONFIG_STREAM, GROUP_DEFINITION, type GroupDefinition, type GroupName, keyOf } from './group-definition.js'
import type { GroupSurroundings } from './group-surroundings.js'

const SET = '$PersistentSubscriptionSet'
const DELETED = '$PersistentSubscriptionDeleted'
const NAME = z.object({ source: z.string(), group: z.string() })

export class GroupCatalog {
  readonly #store: EventStore
  readonly #onError: (error: unknown) => void
  readonly #groups = new Map<string, GroupDefinition>()
  /** The last change that was read. */
  #expected: ExpectedRevision = 'noStream'

  private constructor({ store, onError }: GroupSurroundings) {
    this.#store = store
    this.#onError = onError
  }

  /** A change that is not to be understood is reported and passed over. */
  static async load(surroundings: GroupSurroundings): Promise<GroupCatalog> {
    const catalog = new GroupCatalog(surroundings)
    await catalog.#read()
    return catalog
  }

  /** In the order in which they were made. */
  get all(): GroupDefinition[] {
    return [...this.#groups.values()]
  }

  /** Throws the status of a change that was not written. */
  async set(definition: GroupDefinition): Promise<void> {
    await this.#append(SET, definition)
    this.#groups.set(keyOf(definition), definition)
  }

  /** The same. */
  async delete({ source, group }: GroupName): Promise<void> {
    await this.#append(DELETED, { source, group })
    this.#groups.delete(keyOf({ source, group }))
  }

  async #append(type: string, data: unknown): Promise<void> {
    const result = await this.#store.append(
      CONFIG_STREAM,
      [jsonEvent({ id: randomUUID(), type, data })],
      this.#expected,
    )
    if (result.kind === 'appended') {
      this.#expected = result.revision ?? this.#expected
      return
    }
    await this.#read()
    if (result.kind === 'unknown') throw operationTimedOut()
    throw unavailable('The groups were changed by somebody else at the same time')
  }

  async #read(): Promise<void> {
    this.#groups.clear()
    const read = await this.#store.readStream(CONFIG_STREAM)
    if (read.kind === 'found') for await (const events of read.events) for (const event of events) this.#take(event)
  }

  #take(event: RecordedEvent): void {
    this.#expected = event.revision
    try {
      const json: unknown = JSON.parse(Buffer.from(event.data).toString('utf8'))
      if (event.type === DELETED) this.#groups.delete(keyOf(NAME.parse(json)))
      if (event.type === SET) this.#put(GROUP_DEFINITION.parse(json))
    } catch (cause) {
      this.#onError(new Error(`Event ${event.revision} of ${CONFIG_STREAM} is no change of a group`, { cause }))
    }
  }

  #put(definition: GroupDefinition): void {
    this.#groups.set(keyOf(definition), definition)
  }
}
