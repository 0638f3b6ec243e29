// Digests: RFC 8785 bytes, equal wherever the same was found, and another one as soon as any field of any finding differs.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalize, digestOf, digestOfScan, type ScanQuestion } from '../../src/engine/digest.js'
import type { Finding } from '../../src/engine/finding.js'
import { replay } from '../../src/engine/replay.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { airline, NOW } from '../controls/airline.js'
import { eventsOfLog } from '../controls/events.js'
import { write, writeMetadata } from '../controls/log-writer.js'
import { seedFor } from '../controls/seed.js'

const AT = '2026-05-01T10:00:00Z'

/** A log in which findings of many kinds stand. */
async function variedLog(): Promise<EventStore> {
  const store = openMemoryStore()
  for (const id of ['1', '2', '\u{1F6EB}']) {
    await write(store, `payment-${id}`, {
      type: 'PaymentCaptured',
      data: { passengers: ['p1', 'p2'], amountMinor: 100, at: AT },
    })
  }
  await write(store, 'payment-2', { type: 'RefundRequested', data: { refundId: 'r1' } }, { type: 'Mystery' })
  const issued = { ticketNumber: '2200000000001', passengerId: 'p1', origin: 'LIVE' }
  await write(store, 'ticket-1', { type: 'TicketIssued', data: issued })
  await write(store, 'ticket-2', { type: 'TicketIssued', data: issued })
  await writeMetadata(store, 'ticket-3', { $maxAge: 60 })
  return store
}

/** RFC 8785 written anew: members sorted by UTF-16 code units, ECMAScript's numbers and strings. */
function byTheBook(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(byTheBook).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  members.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${byTheBook(member)}`).join(',')}}`
}

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** Every way to change one thing in a JSON value: another leaf, a member less, a member more, an element less. */
function* changesOf(value: unknown): Iterable<unknown> {
  if (Array.isArray(value)) yield* changesOfArray(value)
  else if (typeof value === 'object' && value !== null) yield* changesOfObject(value as Record<string, unknown>)
  else {
    yield value === null ? 'null' : null
    if (typeof value === 'string') yield `${value} `
    if (typeof value === 'number') yield value + 1
  }
}

function* changesOfArray(value: readonly unknown[]): Iterable<unknown> {
  yield [...value, 'more']
  for (const [index, item] of value.entries()) {
    yield value.toSpliced(index, 1)
    for (const changed of changesOf(item)) yield value.with(index, changed)
  }
}

function* changesOfObject(value: Record<string, unknown>): Iterable<unknown> {
  yield { ...value, more: 1 }
  for (const [name, member] of Object.entries(value)) {
    const { [name]: _, ...rest } = value
    yield rest
    for (const changed of changesOf(member)) yield { ...value, [name]: changed }
  }
}

describe('canonical JSON', () => {
  it('is that of RFC 8785', () => {
    const value = { b: [1e21, 0.1, -0, 'é\u2028"\\\n'], a: { '\u{1F600}': 1, '\uFB33': 2, '1': null }, c: undefined }
    expect(canonicalize(value)).toBe('{"a":{"1":null,"\u{1F600}":1,"\uFB33":2},"b":[1e+21,0.1,0,"é\u2028\\"\\\\\\n"]}')
  })

  it('is the same for the same value, whatever the order of its members', () => {
    const property = fc.property(fc.json({ maxDepth: 3 }), (text) => {
      const value: unknown = JSON.parse(text)
      expect(canonicalize(value)).toBe(byTheBook(value))
      expect(JSON.parse(canonicalize(value))).toEqual(JSON.parse(JSON.stringify(value)))
    })
    fc.assert(property, { seed: seedFor('canonical JSON') })
  })

  it('is not made of what is no JSON', () => {
    expect(() => canonicalize(undefined)).toThrow(TypeError)
    expect(() => canonicalize({ a: Number.NaN })).toThrow()
  })

  it('is what a digest is over', () => {
    expect(digestOf({ b: 1, a: 2 })).toBe(sha256('{"a":2,"b":1}'))
    const anObject = fc.dictionary(
      fc.string(),
      fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue()), fc.constant(undefined)),
    )
    const property = fc.property(anObject, (value) => {
      expect(digestOf(value)).toBe(sha256(canonicalize(value)))
    })
    fc.assert(property, { seed: seedFor('digest in pieces') })
  })
})

describe('the digest of a scan', () => {
  const question: ScanQuestion = { projection: 'p', version: '1', filters: { rules: ['a'] }, now: AT }

  it('is sha256 over the RFC 8785 JSON of projection, version, filters, now and findings', async () => {
    const { summary, findings } = await replay(await variedLog(), airline, { now: NOW })
    expect(findings.length).toBeGreaterThan(6)
    const { projection, version, filters, now } = summary
    expect(summary.digest).toBe(sha256(byTheBook({ projection, version, filters, now, findings })))
    expect(digestOfScan(question, [])).toBe(sha256(byTheBook({ ...question, findings: [] })))
  })

  it('changes with any field of any finding, their order and their number', async () => {
    const { findings } = await replay(await variedLog(), airline, { now: NOW })
    const digests = new Set([digestOfScan(question, findings)])
    let changes = 0
    for (const changed of changesOf(findings)) {
      changes += 1
      digests.add(digestOfScan(question, changed as Finding[]))
    }
    expect(changes).toBeGreaterThan(200)
    expect(digests.size).toBe(changes + 1)
    expect(digests.has(digestOfScan(question, findings.toReversed()))).toBe(false)
  })

  it('changes with the question', () => {
    const digests = [...changesOf(question)]
      .filter((changed) => !Object.hasOwn(changed as object, 'more') && Object.keys(changed as object).length === 4)
      .map((changed) => digestOfScan(changed as ScanQuestion, []))
    expect(digests.length).toBeGreaterThan(6)
    expect(new Set([...digests, digestOfScan(question, [])]).size).toBe(digests.length + 1)
  })

  it('is equal for two replays, and says nothing of how long they took', async () => {
    const store = await variedLog()
    const [slow, fast] = await Promise.all(
      [1_000, 1].map((step) => {
        let clock = 0
        return replay(store, airline, { now: NOW, elapsedClock: () => (clock += step) })
      }),
    )
    expect(fast?.summary.digest).toBe(slow?.summary.digest)
    expect(fast?.summary.elapsedMs).not.toBe(slow?.summary.elapsedMs)
  })

  it('is equal for a store that has the same events at other positions and of other times', async () => {
    const store = await variedLog()
    const copy = openMemoryStore({ clock: () => 0 })
    for (const event of await eventsOfLog(store)) {
      await write(copy, 'padding-1', { type: 'X' }, { type: 'Y' })
      await copy.append(event.stream, [event], 'any')
    }
    const [one, other] = await Promise.all([store, copy].map((each) => replay(each, airline, { now: NOW })))
    expect(other?.summary.cut).not.toEqual(one?.summary.cut)
    expect(other?.summary.digest).toBe(one?.summary.digest)
    expect(other?.findings).toEqual(one?.findings)
  })

  it('changes with now, because rules see it', async () => {
    const store = await variedLog()
    const digests = await Promise.all(
      [NOW, NOW + 1].map(async (now) => (await replay(store, airline, { now })).summary.digest),
    )
    expect(digests[0]).not.toBe(digests[1])
  })
})
