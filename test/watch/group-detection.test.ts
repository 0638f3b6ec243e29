// What the keeper of a group makes of notes: in whatever order they were written, and whatever it knew before; and what a consumer acknowledges.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Projection } from '../../src/engine/projection.js'
import type { ConsumerGroups, Delivery, GroupMessage } from '../../src/log/consumer-group.js'
import type { RecordedEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { StoreUnavailableError } from '../../src/log/store-errors.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { groupNameOf } from '../../src/watch/group.js'
import { GroupDetection } from '../../src/watch/group-detection.js'
import { type Note, type Noted, notedEvents, notesStreamOf } from '../../src/watch/group-notes.js'
import { GroupWorker } from '../../src/watch/group-worker.js'
import { eventsOfLog } from '../controls/events.js'
import { lockers, takeLockerStep } from '../controls/lockers.js'
import { happen, liveAirline, MINUTE_MS, NOW } from './live-airline.js'
import { until } from './watching.js'

const NOTES = notesStreamOf('group.ops')
const LATER = NOW + 10 * MINUTE_MS

function note(fields: Partial<Note> = {}): Note {
  return { subject: 'b1', seen: 1, deadline: null, isOpen: false, keys: [], ...fields }
}

class Notes {
  readonly store = openMemoryStore()
  clock = NOW
  readonly detection: GroupDetection
  #taken = 0

  constructor(reader?: Partial<EventStore>, projection: Projection = liveAirline) {
    this.detection = new GroupDetection({
      reader: reader ? Object.assign(Object.create(this.store) as EventStore, reader) : this.store,
      projection,
      notesStream: NOTES,
      parkedStream: 'parked',
      behindMsMax: MINUTE_MS,
      wallClock: () => this.clock,
      onFlow: () => {},
    })
  }

  /** Writes notes down and has them taken in. */
  async take(notes: readonly Note[], rest: Partial<Noted> = {}, stream = NOTES): Promise<void> {
    const numbers = { flow: [], events: notes.length, unattributable: 0, oldestAt: null, at: NOW }
    for (const event of notedEvents({ by: 'x', notes: [...notes], ...numbers, ...rest }, randomUUID)) {
      await this.store.append(stream, [event], 'any')
    }
    await this.detection.add(await this.fresh())
  }

  async fresh(): Promise<RecordedEvent[]> {
    const events = await eventsOfLog(this.store)
    const fresh = events.slice(this.#taken)
    this.#taken = events.length
    return fresh
  }
}

describe('the keeper of a group', () => {
  it('lets no note that saw less move a deadline that one which saw more has set', async () => {
    const notes = new Notes()
    await notes.take([note({ seen: 3, deadline: LATER })])
    await notes.take([note({ seen: 2, deadline: null })])
    expect(notes.detection.deadlines.of('b1')).toBe(LATER)
    await notes.take([note({ seen: 4, deadline: null })])
    expect(notes.detection.deadlines.of('b1')).toBeUndefined()
    expect(await notes.detection.judge(NOW)).toEqual(['b1'])
  })

  it('looks itself where it does not know what a deadline of its checkpoint rests on', async () => {
    const notes = new Notes()
    notes.detection.deadlines.set('b1', LATER)
    const at = new Date(NOW).toISOString()
    const data = { attemptId: 'a1', passengerId: 'p1', origin: 'LIVE', at }
    await happen(notes.store, { subject: 'b1', category: 'ticket', what: 'event', type: 'TicketIssueRequested', data })
    await notes.take([note({ deadline: null })])
    await notes.detection.judge(NOW)
    // The attempt is open still, whatever the note said.
    expect(notes.detection.deadlines.of('b1')).toBe(LATER)
  })

  it('judges as a deadline passes by what the streams say then, not by what was noted', async () => {
    const notes = new Notes()
    await notes.take([note({ deadline: LATER })])
    await notes.detection.judge(NOW)
    const data = { passengers: ['p1'], amountMinor: 100, at: new Date(NOW).toISOString() }
    await happen(notes.store, { subject: 'b1', category: 'payment', what: 'event', type: 'PaymentCaptured', data })
    await notes.detection.judge(LATER)
    expect(notes.detection.found.get('b1')?.map(({ finding }) => finding.rule)).toEqual(['paid-not-ticketed'])
  })

  it('judges whoever shared a key with a subject that was seen to have left it before its note came', async () => {
    const notes = new Notes(undefined, lockers as Projection)
    const steps = [
      { person: 'bob', type: 'Took', locker: '1' },
      { person: 'bob', type: 'Took', locker: '2' },
      { person: 'cyd', type: 'Took', locker: '2' },
      { person: 'bob', type: 'Left', locker: '2' },
      { person: 'ann', type: 'Took', locker: '1' },
    ]
    const keysOf = (...held: string[]) => held.map((locker) => `held-twice ${locker}`)
    for (const [index, step] of steps.slice(0, 3).entries()) await takeLockerStep(notes.store, step, index)
    await notes.take([note({ subject: 'bob', keys: keysOf('1', '2') }), note({ subject: 'cyd', keys: keysOf('2') })])
    await notes.detection.judge(NOW)
    expect([...notes.detection.found.keys()].sort()).toEqual(['bob', 'cyd'])
    for (const [index, step] of steps.slice(3).entries()) await takeLockerStep(notes.store, step, 3 + index)
    await notes.take([note({ subject: 'ann', keys: keysOf('1') })])
    await notes.detection.judge(NOW)
    await notes.take([note({ subject: 'bob', seen: 3, keys: keysOf('1') })])
    await notes.detection.judge(NOW)
    expect([...notes.detection.found.keys()].sort()).toEqual(['ann', 'bob'])
  })

  it('passes over what a group writes whose name begins alike, and goes on behind it', async () => {
    const notes = new Notes()
    await notes.take([note({ deadline: LATER })], {}, notesStreamOf('group.ops-2'))
    expect(notes.detection.deadlines.size).toBe(0)
    expect(notes.detection.position).toEqual((await eventsOfLog(notes.store)).at(-1)?.position)
  })

  it('takes each note once, also when it is given it again', async () => {
    const notes = new Notes()
    await notes.take([note()], { events: 5 })
    await notes.detection.add(await eventsOfLog(notes.store))
    expect(notes.detection.residents.counts.events).toBe(5)
  })

  it('knows that a consumer lags, until it has said nothing of it for a while', async () => {
    const notes = new Notes()
    await notes.take([note()], { oldestAt: NOW - MINUTE_MS })
    expect(notes.detection.behindSince()).toBeUndefined()
    await notes.take([note()], { oldestAt: NOW - MINUTE_MS - 1 })
    expect(notes.detection.behindSince()).toBe(NOW - MINUTE_MS - 1)
    notes.clock += MINUTE_MS
    expect(notes.detection.behindSince()).toBeUndefined()
  })

  it('has everything still to judge where a reading failed', async () => {
    let isAway = false
    const notes: Notes = new Notes({
      readStream: (stream, options) => {
        if (isAway) throw new StoreUnavailableError('away')
        return notes.store.readStream(stream, options)
      },
    })
    await notes.take([note({ isOpen: true })])
    isAway = true
    await expect(notes.detection.judge(NOW)).rejects.toThrow('away')
    expect(notes.detection.isSettled).toBe(false)
    isAway = false
    expect(await notes.detection.judge(NOW)).toEqual(['b1'])
    expect(notes.detection.isSettled).toBe(true)
  })
})

describe('a consumer of a group', () => {
  it('acknowledges nothing that it could not note', async () => {
    const store = openMemoryStore()
    const data = { passengers: ['p1'], amountMinor: 100, at: new Date(NOW).toISOString() }
    await happen(store, { subject: 'b1', category: 'payment', what: 'event', type: 'PaymentCaptured', data })
    const [event] = await eventsOfLog(store)
    const acked: Delivery[] = []
    const failing = Object.assign(Object.create(store) as EventStore, {
      append: async () => ({ kind: 'unknown', message: 'no answer' }),
    })
    const troubles: Error[] = []
    const end = new AbortController()
    const worker = new GroupWorker({
      store: failing,
      groups: { consume: () => givingOnce(event as RecordedEvent, acked) } as unknown as ConsumerGroups,
      group: groupNameOf('ops'),
      notesStream: NOTES,
      projection: liveAirline,
      holder: 'x',
      clock: () => NOW,
      wallClock: () => NOW,
      newId: randomUUID,
      retryMs: 1,
      onTrouble: (error) => troubles.push(error),
    })
    const running = worker.run(end.signal)
    await until(() => troubles.length > 1, 'that it tries again')
    end.abort()
    await running
    expect(acked).toEqual([])
    expect(troubles[0]?.message).toContain('could not be written: no answer')
  })
})

function givingOnce(event: RecordedEvent, acked: Delivery[]) {
  async function* messages(): AsyncGenerator<GroupMessage> {
    yield { kind: 'joined' }
    yield { kind: 'deliveries', deliveries: [{ event, retries: 0 }] }
  }
  return {
    messages: messages(),
    ack: (deliveries: readonly Delivery[]) => void acked.push(...deliveries),
    nack: () => {},
  }
}
