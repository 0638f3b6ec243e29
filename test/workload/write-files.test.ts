import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseEventLine } from '../../src/log/event-line.js'
import { limitsOf } from '../../src/log/stream-metadata.js'
import { readKnownTickets } from '../../src/simulator/known-tickets.js'
import { generate } from '../../src/workload/generate.js'
import { RULE_IDS } from '../../src/workload/rule-ids.js'
import type { Truth } from '../../src/workload/truth-files.js'
import { writeFiles } from '../../src/workload/write-files.js'

const FILES = ['authority.jsonl', 'events.jsonl', 'payment-record.jsonl', 'truth.json']
const WORKLOAD = { bookings: 1_600, seed: 7, scenario: 'mixed' } as const

describe('a workload as files', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'makegood-workload-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const read = (name: string, ...path: string[]) => readFile(join(folder, ...path, name), 'utf8')
  const linesOf = async (name: string) => (await read(name)).split('\n').slice(0, -1)

  it('has the same bytes for the same seed, in every file', async () => {
    await writeFiles(join(folder, 'a', 'deep'), generate(WORKLOAD))
    await writeFiles(join(folder, 'b'), generate(WORKLOAD))
    for (const file of FILES) {
      const bytes = await read(file, 'a', 'deep')
      expect(bytes.length).toBeGreaterThan(100)
      expect(await read(file, 'b')).toBe(bytes)
    }
  })

  it('has every event as a line of the export format, the marker first, with the times of the workload', async () => {
    const counts = await writeFiles(folder, generate(WORKLOAD))
    const lines = (await linesOf('events.jsonl')).map(parseEventLine)
    const events = lines.flatMap((line) => (line.kind === 'event' ? [line.event] : []))
    expect(events).toHaveLength(lines.length)
    expect(counts).toEqual({ bookings: 1_600, events: events.length - 1 })
    expect(events[0]).toMatchObject({ stream: 'makegood.store', revision: 0, type: 'StoreMarked' })
    const next = new Map<string, number>()
    let before = 0n
    for (const { stream, revision, created = 0n } of events) {
      expect([stream, revision]).toEqual([stream, next.get(stream) ?? 0])
      next.set(stream, revision + 1)
      expect(created >= before).toBe(true)
      before = created
    }
  })

  it('writes deletions as metadata', async () => {
    await writeFiles(folder, generate(WORKLOAD))
    const lines = (await linesOf('events.jsonl')).map(parseEventLine)
    const deletions = lines.filter((line) => line.kind === 'event' && limitsOf(line.event.data).softDeleted)
    expect(deletions).toHaveLength(2)
    expect(deletions[0]).toMatchObject({
      event: { type: '$metadata', stream: expect.stringMatching(/^\$\$ticket-/), revision: 0 },
    })
  })

  it('has a truth that counts what it lists', async () => {
    await writeFiles(folder, generate(WORKLOAD))
    const truth: Truth = JSON.parse(await read('truth.json'))
    expect(truth).toMatchObject({ ...WORKLOAD, now: '2026-06-01T12:00:00.000Z' })
    for (const rule of RULE_IDS) {
      expect(truth.counts[rule]).toBe(truth.subjects.filter(({ rules }) => rules.includes(rule)).length)
      const looked = truth.subjects.filter(({ rules, withLookup }) => (withLookup?.rules ?? rules).includes(rule))
      expect(truth.countsWithLookups[rule]).toBe(looked.length)
      expect(truth.counts[rule] + truth.countsWithLookups[rule]).toBeGreaterThan(0)
    }
    expect(new Set(truth.subjects.map(({ subject }) => subject)).size).toBe(truth.subjects.length)
  })

  it('has the tickets that only the authority knows, as the simulator reads them', async () => {
    await writeFiles(folder, generate(WORKLOAD))
    const tickets = await readKnownTickets(join(folder, 'authority.jsonl'))
    const truth: Truth = JSON.parse(await read('truth.json'))
    const lost = truth.subjects.filter(({ withLookup }) => withLookup?.rules.includes('ticket-event-lost'))
    expect(lost.length).toBeGreaterThan(0)
    expect(new Set(tickets.map(({ bookingId }) => bookingId))).toEqual(new Set(lost.map(({ subject }) => subject)))
    const passengers = lost.flatMap(({ subject, missingPassengers }) =>
      missingPassengers.map((id) => `${subject} ${id}`),
    )
    expect(tickets.map(({ bookingId, passengerId }) => `${bookingId} ${passengerId}`).sort()).toEqual(passengers.sort())
  })

  it('fails where a folder cannot be made', async () => {
    await expect(writeFiles('/dev/null/folder', generate(WORKLOAD))).rejects.toThrow(/ENOTDIR|ENOENT/)
  })
})
