// Servers and clients for one test: both are gone when it has finished.
import { EventStoreDBClient } from '@eventstore/db-client'
import { onTestFinished } from 'vitest'
import type { EventStore } from '../../src/log/event-store.js'
import { type RunningServer, type ServerOptions, startServer } from '../../src/server/start-server.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'

export interface Served extends RunningServer {
  readonly store: EventStore
  readonly client: EventStoreDBClient
}

/** A server over a fresh memory store, or the one given, and a client without credentials. */
export async function serve(options: Partial<ServerOptions> = {}): Promise<Served> {
  const store = options.store ?? openMemoryStore()
  const server = await startServer({ drainMs: 500, ...options, store })
  onTestFinished(async () => {
    await server.stop()
    await store.close()
  })
  return { ...server, store, client: connect(server.connectionString) }
}

export function connect(connectionString: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(connectionString)
  onTestFinished(() => client.dispose())
  return client
}

/** All that an iterable gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}
