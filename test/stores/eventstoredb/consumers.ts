// A consumer of a group for tests, over the adapter's port: what it got, and what it does with each event.
import { onTestFinished } from 'vitest'
import type { ConsumerGroups } from '../../../src/log/consumer-group.js'
import {
  type Delivery,
  type GroupedStore,
  type GroupMessage,
  type GroupName,
  type GroupSettings,
  groupsOf,
} from '../../../src/log/consumer-group.js'
import type { EventStore } from '../../../src/log/event-store.js'

export const SETTINGS: GroupSettings = {
  startFrom: 'start',
  strategy: 'PinnedByCorrelation',
  messageTimeoutMs: 30_000,
  retriesMax: 10,
  readyMax: 500,
}

/** The groups of a store that has them. */
export function groups(store: EventStore | GroupedStore): ConsumerGroups {
  const found = groupsOf(store)
  if (!found) throw new Error('The store has no groups')
  return found
}

export type Decide = (delivery: Delivery) => 'ack' | 'park' | 'retry' | 'skip' | 'stop' | 'nothing'

export class Consumer {
  readonly messages: GroupMessage[] = []
  readonly got: Delivery[] = []
  readonly done: Promise<void>
  failure: unknown
  readonly #end = new AbortController()

  constructor(store: EventStore, name: GroupName, options: { decide?: Decide; heldMax?: number } = {}) {
    const { decide = () => 'ack', heldMax = 100 } = options
    const consumer = groups(store).consume(name, { heldMax, signal: this.#end.signal })
    const take = (delivery: Delivery) => {
      this.got.push(delivery)
      const decision = decide(delivery)
      if (decision === 'ack') consumer.ack([delivery])
      else if (decision !== 'nothing') consumer.nack([delivery], decision, 'because')
    }
    const run = async () => {
      for await (const message of consumer.messages) {
        this.messages.push(message)
        if (message.kind === 'deliveries') for (const delivery of message.deliveries) take(delivery)
      }
    }
    this.done = run().catch((error: unknown) => {
      this.failure = error
    })
    onTestFinished(() => this.leave())
  }

  /** `a+2`: for the third time. */
  get words(): string[] {
    return this.got.map(({ event, retries }) => `${wordOf(event.data)}${retries > 0 ? `+${retries}` : ''}`)
  }

  get kinds(): string[] {
    return this.messages.map(({ kind }) => kind)
  }

  async leave(): Promise<void> {
    this.#end.abort()
    await this.done
  }
}

function wordOf(data: Uint8Array): string {
  return (JSON.parse(new TextDecoder().decode(data)) as { word: string }).word
}
