// A domain for tests of what states and shared keys may do: people hold lockers that only one may hold, begin and cease to do so, and hold one twice. Its
// states have what JSON does not: a set, and one object in two places. Its rules do not look at now.
import fc from 'fast-check'
import { z } from 'zod'
import { type DecodedEvent, defineProjection, type EventRef } from '../../src/engine/projection.js'
import { jsonEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'

interface Holding {
  locker: string
  readonly since: EventRef
}

interface Person {
  readonly held: Holding[]
  /** One of `held`, or one that was. */
  last: Holding | undefined
  readonly ever: Set<string>
}

const named = z.object({ locker: z.string() })

/** Category `person`: Took, Left, and Moved, which changes the locker taken last. */
export const lockers = defineProjection<Person, DecodedEvent<string, z.infer<typeof named>>>({
  name: 'lockers',
  version: '1',
  categories: ['person'],
  events: { Took: named, Left: named, Moved: named },
  initial: () => ({ held: [], last: undefined, ever: new Set() }),
  evolve(person, { id, stream, revision, type, data: { locker } }) {
    if (type === 'Moved') {
      if (person.last) person.last.locker = locker
    } else if (type === 'Left') {
      const at = person.held.findIndex((holding) => holding.locker === locker)
      if (at >= 0) person.held.splice(at, 1)
    } else {
      person.last = { locker, since: { id, stream, revision } }
      person.held.push(person.last)
    }
    person.ever.add(locker)
    return undefined
  },
  rules: [
    {
      id: 'restless',
      title: 'More lockers than anybody needs.',
      severity: 3,
      disposition: 'repair',
      when: { many: ({ ever }) => ever.size > 2, holds: ({ held }) => held.length > 0 },
      evidence: ({ held, ever }) => ({ opened: (held[0] as Holding).since, detail: { ever: [...ever] } }),
    },
  ],
  sharedKeys: [
    {
      id: 'held-twice',
      title: 'A locker is held twice.',
      severity: 2,
      disposition: 'person',
      *keys({ held }) {
        for (const { locker, since } of held) yield { key: locker, opened: since, occurrence: since.id }
      },
    },
  ],
  unmetGuards: ({ held }) => (held.length > 1 ? ['holds one'] : []),
})

export interface LockerStep {
  readonly person: string
  readonly type: string
  readonly locker: string
}

export const lockerStep: fc.Arbitrary<LockerStep> = fc.record({
  person: fc.constantFrom('ann', 'bob', 'cyd', 'dan', '𝒳é'),
  type: fc.constantFrom('Took', 'Took', 'Left', 'Moved'),
  locker: fc.constantFrom('1', '2', '3', '4'),
})

/** `index` makes the event's id. */
export async function takeLockerStep(
  store: EventStore,
  { person, type, locker }: LockerStep,
  index: number,
): Promise<void> {
  const id = `00000000-0000-4000-a000-${String(index + 1).padStart(12, '0')}`
  await store.append(`person-${person}`, [jsonEvent({ id, type, data: { locker } })], 'any')
}
