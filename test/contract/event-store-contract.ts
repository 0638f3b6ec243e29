// The contract of the EventStore port: every home passes the same cases, with no exceptions. It asks nothing but the port, so it runs
// unchanged against a server: no case relies on exact positions, on an empty log or on a clock that can be set.
import { describe } from 'vitest'
import type { ProposedEvent } from '../../src/log/event.js'
import { anEvent, uniqueStream } from '../controls/events.js'
import { appendingContract } from './appending-contract.js'
import { deletingContract } from './deleting-contract.js'
import { durabilityContract } from './durability-contract.js'
import { metadataContract } from './metadata-contract.js'
import { readingContract } from './reading-contract.js'
import type { LoggedEvent, MakeStore, ReadingHarness, StoreHarness } from './store-harness.js'
import { subscriptionContract } from './subscription-contract.js'

/** Declares all cases that hold for a home that can be written. */
export function eventStoreContract(name: string, makeStore: MakeStore): void {
  describe(`${name} keeps the contract of an event store`, () => {
    readingContract(() => fillForReading(makeStore))
    appendingContract(makeStore)
    deletingContract(makeStore)
    metadataContract(makeStore)
    subscriptionContract(makeStore)
  })
}

/** Declares the cases on top for a home whose log outlives the process. */
export function durableStoreContract(name: string, makeStore: MakeStore): void {
  describe(`${name} keeps its log over a restart`, () => durabilityContract(makeStore))
}

async function fillForReading(makeStore: MakeStore): Promise<ReadingHarness> {
  const harness = await makeStore()
  const [a, b, c] = [uniqueStream('first'), uniqueStream('second'), uniqueStream('third')]
  const logged: LoggedEvent[] = []
  const revisions = new Map<string, number>()
  for (const stream of [a, b, a, c, a, b, a, a, c, b]) {
    const revision = (revisions.get(stream) ?? -1) + 1
    revisions.set(stream, revision)
    logged.push({ stream, revision, ...(await appendOne(harness, stream)) })
  }
  return { reader: harness.store, logged, dispose: () => harness.dispose() }
}

async function appendOne({ store }: StoreHarness, stream: string): Promise<ProposedEvent> {
  const event = anEvent()
  const result = await store.append(stream, [event], 'any')
  if (result.kind !== 'appended') throw new Error(`Not appended: ${JSON.stringify(result)}`)
  return event
}
