// What can befall a log beside its events: streams cut, limited or deleted, revisions lost, events that nobody can read or attribute, those of others.
import fc from 'fast-check'
import { jsonEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { isRestorable } from '../../src/log/restorable-store.js'

const KINDS = ['limit', 'unlimit', 'delete', 'tombstone', 'gap', 'nobody', 'unknown', 'not json', 'other'] as const

export interface HostileStep {
  readonly kind: (typeof KINDS)[number]
  readonly stream: string
}

export const hostileStep: fc.Arbitrary<HostileStep> = fc.record({
  kind: fc.constantFrom(...KINDS),
  stream: fc.constantFrom('payment-b1', 'ticket-b1', 'payment-b2', 'ticket-b3'),
})

/** Does it to the log; `index` makes the ids of its events. What a tombstone forbids is not done. */
export async function takeStep(store: EventStore, { kind, stream }: HostileStep, index: number): Promise<void> {
  const id = `00000000-0000-4000-9000-${String(index + 1).padStart(12, '0')}`
  const append = (to: string, type: string, data: unknown) => store.append(to, [jsonEvent({ id, type, data })], 'any')
  switch (kind) {
    case 'limit':
      await append(`$$${stream}`, '$metadata', { $maxCount: 100 })
      return
    case 'unlimit':
      await append(`$$${stream}`, '$metadata', {})
      return
    case 'delete':
      await store.deleteStream(stream, 'any')
      return
    case 'tombstone':
      await store.tombstone(stream, 'any')
      return
    case 'gap':
      await skipRevision(store, stream, id)
      return
    case 'nobody':
      await append('payment-', 'PaymentCaptured', {})
      return
    case 'unknown':
      await append(stream, 'SomethingElse', {})
      return
    case 'not json':
      await store.append(
        stream,
        [{ ...jsonEvent({ id, type: 'TicketIssued', data: 1 }), data: Buffer.from('{') }],
        'any',
      )
      return
    case 'other':
      await append('hotel-b1', 'Booked', {})
  }
}

/** A log that was restored without one of its events. */
async function skipRevision(store: EventStore, stream: string, id: string): Promise<void> {
  const read = await store.readStream(stream, { direction: 'backwards', maxCount: 1 })
  let revision = 0
  if (read.kind === 'found') for await (const [last] of read.events) revision = (last?.revision ?? -1) + 1
  if (read.kind === 'tombstoned' || !isRestorable(store)) return
  const event = jsonEvent({ id, type: 'PaymentReviewHeld', data: {} })
  await store.restore([{ ...event, stream, revision: revision + 1, created: undefined }])
}
