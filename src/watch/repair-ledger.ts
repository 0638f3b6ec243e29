// How much a watch has repaired in the last hour. It is a stream, `makegood.autorepair-{name}`, written before anything is begun, so that the limits of
// an hour hold over kills and restarts.
import { z } from 'zod'
import { jsonEvent, type RecordedEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import { StoreUnavailableError } from '../log/store-errors.js'
import { streamOf } from '../log/stream.js'
import { OwnStream } from './own-stream.js'
import type { RepairPolicy, Value } from './repair-policy.js'

const CATEGORY = 'makegood.autorepair'
const HOUR_MS = 3_600_000

const reserved = z.object({
  /** Milliseconds since the Unix epoch. */
  at: z.number(),
  items: z.int(),
  /** In minor units, by currency. */
  value: z.record(z.string(), z.int()),
})
type Reserved = z.infer<typeof reserved>

export class RepairLedger {
  readonly #stream: OwnStream
  #recent: Reserved[]

  private constructor(stream: OwnStream, recent: Reserved[]) {
    this.#stream = stream
    this.#recent = recent
  }

  /** Reads back the last hour before `now` (milliseconds since the Unix epoch). Throws what the store throws. */
  static async open(store: EventStore, name: string, now: number): Promise<RepairLedger> {
    const stream = streamOf(CATEGORY, name)
    const read = await store.readStream(stream, { direction: 'backwards' })
    const recent: Reserved[] = []
    let head = -1
    if (read.kind === 'found') {
      search: for await (const batch of read.events) {
        for (const event of batch) {
          head = Math.max(head, event.revision)
          const one = reservedIn(event)
          if (one.at <= now - HOUR_MS) break search
          recent.push(one)
        }
      }
    }
    return new RepairLedger(new OwnStream(store, stream, head), recent)
  }

  /**
   * Reserves what the policy still allows in this hour of some items, in their order, and gives how many that are. What is reserved counts, whatever
   * becomes of it. Throws StoreUnavailableError; the ledger must then be opened anew.
   */
  async reserve(
    values: readonly (Value | undefined)[],
    policy: RepairPolicy,
    { now, newId }: { now: number; newId: () => string },
  ): Promise<number> {
    this.#recent = this.#recent.filter(({ at }) => at > now - HOUR_MS)
    const one = this.#fitting(values, policy, now)
    if (one.items === 0) return 0
    if ((await this.#stream.append([jsonEvent({ id: newId(), type: 'RepairsReserved', data: one })])) === 'taken') {
      throw new StoreUnavailableError('Another process repairs under this name')
    }
    this.#recent.push(one)
    return one.items
  }

  #fitting(values: readonly (Value | undefined)[], policy: RepairPolicy, now: number): Reserved {
    const { items: itemsBefore, value: valueBefore } = sumOf(this.#recent)
    const value: Record<string, number> = {}
    let items = 0
    for (const one of values) {
      if (itemsBefore + items >= policy.itemsPerHour) break
      if (one) {
        const { currency, amountMinor } = one
        const sum = (value[currency] ?? 0) + amountMinor
        if ((valueBefore[currency] ?? 0) + sum > (policy.valuePerHour[currency] ?? 0)) break
        value[currency] = sum
      }
      items += 1
    }
    return { at: now, items, value }
  }
}

function sumOf(all: readonly Reserved[]): { items: number; value: Record<string, number> } {
  const value: Record<string, number> = {}
  let items = 0
  for (const one of all) {
    items += one.items
    for (const [currency, amount] of Object.entries(one.value)) value[currency] = (value[currency] ?? 0) + amount
  }
  return { items, value }
}

function reservedIn({ data }: RecordedEvent): Reserved {
  return reserved.parse(JSON.parse(new TextDecoder().decode(data)))
}
