// A subscription to the whole log, filtered or not.
import { randomUUID } from 'node:crypto'
import type { RecordedEvent } from '../../log/event.js'
import type { Position } from '../../log/position.js'
import { InvalidPositionError } from '../../log/store-errors.js'
import { invalidArgument } from '../status.js'
import { Checkpoints } from './checkpoints.js'
import type { Filter } from './event-filter.js'
import type { ReadAnswer } from './read-answer.js'
import { type Reading, type RequestOf, startOf, subscriptionOver } from './reading.js'

export async function subscribeToAll(request: RequestOf<'allSubscription'>, reading: Reading): Promise<void> {
  const { store, reply, signal } = reading
  const after = startOf(request)
  await reply.confirmation(randomUUID())
  const given = request.filter ? new Filtered(reply, request.filter, after) : reply
  try {
    // Not filtered by the store: checkpoints count the records that do not match as well.
    for await (const message of store.subscribeToAll({ after, signal })) {
      if (message.kind === 'events') await given.events(message.events)
      else if (message.kind === 'caughtUp') await given.caughtUp()
      else if (message.kind === 'fellBehind') await reply.fellBehind()
    }
  } catch (error) {
    throw error instanceof InvalidPositionError ? invalidArgument('Trying to read from an invalid position.') : error
  }
  subscriptionOver(reading)
}

/** Gives what a filter wants, with checkpoints. */
class Filtered {
  readonly #reply: ReadAnswer
  readonly #filter: Filter
  readonly #checkpoints: Checkpoints

  constructor(reply: ReadAnswer, filter: Filter, after: Position | 'start' | 'end') {
    this.#reply = reply
    this.#filter = filter
    this.#checkpoints = new Checkpoints(filter, typeof after === 'object' ? after : undefined)
  }

  async events(events: readonly RecordedEvent[]): Promise<void> {
    let wanted: RecordedEvent[] = []
    const tell = async (checkpoint: Position | undefined) => {
      if (!checkpoint) return
      await this.#reply.events(wanted)
      wanted = []
      await this.#reply.checkpoint(checkpoint)
    }
    for (const event of events) {
      await tell(this.#checkpoints.before())
      const matched = this.#filter.wants(event)
      if (matched) wanted.push(event)
      await tell(this.#checkpoints.after(event, matched))
    }
    await this.#reply.events(wanted)
  }

  async caughtUp(): Promise<void> {
    const checkpoint = this.#checkpoints.caughtUp()
    if (checkpoint) await this.#reply.checkpoint(checkpoint)
    await this.#reply.caughtUp()
  }
}
