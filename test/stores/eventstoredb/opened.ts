// Stores over the wire for one test: closed when it has finished.
import { onTestFinished } from 'vitest'
import type { EventStore } from '../../../src/log/event-store.js'
import { type EventStoreDbOptions, openEventStoreDbStore } from '../../../src/stores/eventstoredb/eventstoredb-store.js'

/** Opens a store that gives up early. */
export async function open(
  connectionString: string,
  options: Omit<EventStoreDbOptions, 'connectionString'> = {},
): Promise<EventStore> {
  const store = await openEventStoreDbStore({ outageMsMax: 5_000, silenceMsMax: 5_000, ...options, connectionString })
  onTestFinished(() => store.close())
  return store
}

/** Waits until something is so; fails after a while. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    if (tries > 2_000) throw new Error(`It did not come to be: ${isSo}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
