// What a watch remembers, part by part: deadlines, checkpoints in parts, the index of shared keys, and the streams of its own.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { StoreUnavailableError } from '../../src/log/store-errors.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { type CheckpointEntry, type CheckpointHead, CheckpointLog } from '../../src/watch/checkpoint.js'
import { Deadlines } from '../../src/watch/deadlines.js'
import { NO_FLOW } from '../../src/watch/flow.js'
import { KeyIndex } from '../../src/watch/key-index.js'
import { KeyLog } from '../../src/watch/key-log.js'
import { chunksOf, OwnStream } from '../../src/watch/own-stream.js'
import { eventsOf } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'
import { FaultyStore } from './faulty-store.js'
import { liveAirline } from './live-airline.js'

describe('deadlines', () => {
  it('come out when they are due, each subject by the moment that was set last', () => {
    const subject = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const set = fc.record({ subject, at: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }) })
    const step = fc.oneof(set, fc.integer({ min: 0, max: 30 }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const deadlines = new Deadlines()
        const model = new Map<string, number>()
        for (const one of steps) {
          if (typeof one === 'number') expect(deadlines.takeDue(one).sort()).toEqual(takeDue(model, one))
          else {
            deadlines.set(one.subject, one.at)
            setOrDelete(model, one.subject, one.at)
          }
          expect(deadlines.next()).toBe(model.size === 0 ? undefined : Math.min(...model.values()))
          expect(deadlines.size).toBe(model.size)
        }
      }),
      { seed: seedFor('deadlines'), numRuns: 500 },
    )
  })
})

function setOrDelete<T>(model: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) model.delete(key)
  else model.set(key, value)
}

function takeDue(model: Map<string, number>, now: number): string[] {
  const due = [...model].filter(([, at]) => at <= now).map(([subject]) => subject)
  for (const subject of due) model.delete(subject)
  return due.sort()
}

const headAt = (position: string): CheckpointHead => ({
  projection: 'airline',
  version: '1',
  position,
  eventId: 'e',
  now: 1,
  alertHeads: {},
  keysHead: -1,
  ownAlerts: [],
  flow: NO_FLOW,
})
const entry = (deadline: number): CheckpointEntry => ({ deadline, isOpen: false, alerts: [] })
const open = (store: EventStore) => CheckpointLog.open(store, 'w', randomUUID)
const STREAM = 'makegood.checkpoint-w'

describe('a checkpoint', () => {
  it('is what was saved last, change upon change', async () => {
    const entries = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.option(fc.nat(9), { nil: undefined }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ entries, isReopened: fc.boolean() }), { maxLength: 12 }), async (saves) => {
        const store = openMemoryStore()
        let log = await open(store)
        const model = new Map<string, CheckpointEntry>()
        for (const [index, { entries: changed, isReopened }] of saves.entries()) {
          const changes = Object.entries(changed).map(
            ([name, at]) => [name, at === undefined ? undefined : entry(at)] as const,
          )
          for (const [name, one] of changes) setOrDelete(model, name, one)
          expect(await log.save(headAt(`${index}/${index}`), new Map(changes))).toBe('appended')
          if (isReopened) log = await open(store)
          expect(log.checkpoint?.head.position).toBe(`${index}/${index}`)
          expect(new Map(log.checkpoint?.entries)).toEqual(model)
        }
      }),
      { seed: seedFor('checkpoints'), numRuns: 100 },
    )
  })

  it('too large for one event is saved in parts, and counts only once its last part is there', async () => {
    const store = openMemoryStore()
    const log = await open(store)
    const many = (count: number) =>
      new Map(Array.from({ length: count }, (_, n) => [`subject ${n}`, entry(n)] as const))
    await log.save(headAt('1/1'), many(3))
    await log.save(headAt('2/2'), many(20_000), { whole: true })
    const events = await eventsOf(store, STREAM)
    expect(events.length).toBeGreaterThan(3)
    const torn = openMemoryStore()
    for (const { type, contentType, data, metadata } of events.slice(0, -1)) {
      await torn.append(STREAM, [{ id: randomUUID(), type, contentType, data, metadata }], 'any')
    }
    const left = await open(torn)
    expect([left.checkpoint?.head.position, left.checkpoint?.entries.size]).toEqual(['1/1', 3])
    await left.save(headAt('3/3'), new Map([['subject 0', undefined]]))
    const after = await open(torn)
    expect([after.checkpoint?.head.position, after.checkpoint?.entries.size]).toEqual(['3/3', 2])
    const whole = await open(store)
    expect([whole.checkpoint?.head.position, whole.checkpoint?.entries.size]).toEqual(['2/2', 20_000])
  })

  it('is written anew now and then, so that the changes before are no longer read', async () => {
    const store = openMemoryStore()
    const log = await open(store)
    for (let save = 0; save < 30; save += 1) {
      const changes = Array.from({ length: 400 }, (_, n) => [`s${n}`, entry(save)] as const)
      await log.save(headAt(`${save}/${save}`), new Map(changes))
    }
    const saves = (await eventsOf(store, STREAM)).map(({ data }) => JSON.parse(new TextDecoder().decode(data)))
    const wholes = saves.filter(({ isWhole, part }) => isWhole && part === 0).length
    expect(wholes).toBeGreaterThan(1)
    expect(wholes).toBeLessThan(5)
    expect((await open(store)).checkpoint?.entries.get('s399')).toEqual(entry(29))
  })

  it('of two processes only one can save', async () => {
    const store = openMemoryStore()
    const [one, two] = [await open(store), await open(store)]
    expect(await one.save(headAt('1/1'), new Map())).toBe('appended')
    expect(await two.save(headAt('1/1'), new Map())).toBe('taken')
  })
})

describe('the index of shared keys', () => {
  it('is filled again with what a checkpoint vouched for, and not with what came after', async () => {
    const store = openMemoryStore()
    const index = new KeyIndex(liveAirline)
    const log = await KeyLog.open(store, 'w', index, -1)
    index.replace('b1', [], ['ticket-number-reused 1'])
    index.replace('b2', [], ['ticket-number-reused 1', 'ticket-number-reused 2'])
    await log.write(index.takeChanges(), randomUUID)
    const vouched = log.head
    index.replace('b2', ['ticket-number-reused 1', 'ticket-number-reused 2'], [])
    await log.write(index.takeChanges(), randomUUID)
    const again = new KeyIndex(liveAirline)
    await KeyLog.open(store, 'w', again, vouched)
    expect([...again.usersOf(['ticket-number-reused 1'])]).toEqual(['b1', 'b2'])
    expect([...again.usersOf(['ticket-number-reused 2'])]).toEqual(['b2'])
    expect(again.takeChanges()).toEqual([])
    const latest = new KeyIndex(liveAirline)
    await KeyLog.open(store, 'w', latest, log.head)
    expect([...latest.usersOf(['ticket-number-reused 1', 'ticket-number-reused 2'])]).toEqual(['b1'])
  })
})

describe('a stream of its own', () => {
  const event = () => jsonEvent({ id: randomUUID(), type: 'X', data: {} })

  it('is not written past somebody else', async () => {
    const store = openMemoryStore()
    const [one, two] = [new OwnStream(store, 'makegood.x-1'), new OwnStream(store, 'makegood.x-1')]
    expect(await one.append([event(), event()])).toBe('appended')
    expect(await two.append([event()])).toBe('taken')
    expect(await two.readNew()).toHaveLength(2)
    expect(await two.append([event()])).toBe('appended')
    expect(await one.append([event()])).toBe('taken')
  })

  it('whose last append was not answered is read before it is written again', async () => {
    const inner = openMemoryStore()
    const draws = [0.15, 0.9]
    const store = new FaultyStore(inner, { draw: () => draws.shift() ?? 0.9, likelihood: 0.1 })
    const stream = new OwnStream(store, 'makegood.x-1')
    const lost = event()
    await expect(stream.append([lost])).rejects.toThrow(StoreUnavailableError)
    expect((await stream.readNew()).map(({ id }) => id)).toEqual([lost.id])
    expect(await stream.append([event()])).toBe('appended')
    expect(await eventsOf(inner, 'makegood.x-1')).toHaveLength(2)
  })

  it('is given lists in parts that each fit into an event', () => {
    const items = Array.from({ length: 3_000 }, (_, n) => ({ n, text: 'é'.repeat(200) }))
    const chunks = chunksOf(items)
    expect(chunks.flat()).toEqual(items)
    expect(chunks.length).toBeGreaterThan(1)
    for (const chunk of chunks) expect(Buffer.byteLength(JSON.stringify(chunk))).toBeLessThan(600 * 1024)
    expect(chunksOf([])).toEqual([[]])
  })
})
