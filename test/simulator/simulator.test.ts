import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpAuthority } from '../../src/authorities/http-authority.js'
import type { Authority } from '../../src/repair/authority.js'
import { LinesUnusableError } from '../../src/simulator/durable-lines.js'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/server.js'

const ANNA = { bookingId: 'B1', passengerId: 'P1', documentType: 'TKT' }

describe('the simulator', () => {
  let folder: string
  let ledger: string
  let running: Simulator[]
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'makegood-simulator-'))
    ledger = join(folder, 'ledger.jsonl')
    running = []
  })
  afterEach(async () => {
    await Promise.all(running.map((simulator) => simulator.stop()))
    await rm(folder, { recursive: true })
  })

  /** Only who is to be kept waiting is impatient: a busy disk can be slow. */
  async function start(options: Partial<SimulatorOptions> = {}): Promise<Authority & { stop(): Promise<void> }> {
    const simulator = await startSimulator({ ledger, clock: () => Date.UTC(2026, 4, 31), ...options })
    running.push(simulator)
    const stop = () => {
      running.splice(running.indexOf(simulator), 1)
      return simulator.stop()
    }
    const timeoutMs = options.hangRate === undefined ? 30_000 : 1_000
    return { ...httpAuthority(simulator.url, { timeoutMs }), stop }
  }

  const entriesOf = async (kind: string) =>
    (await readFile(ledger, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
      .filter((entry) => entry.kind === kind)

  it('issues once under one key and answers the same ever after, also after a restart', async () => {
    const first = await start()
    const answer = await first.issue({ key: 'k1', request: ANNA })
    expect(answer).toEqual({
      kind: 'done',
      answer: { ...ANNA, ticketNumber: '8880000000001', issuedAt: '2026-05-31T00:00:00.000Z' },
    })
    expect(await first.issue({ key: 'k1', request: ANNA })).toEqual(answer)
    await first.stop()
    const second = await start()
    expect(await second.issue({ key: 'k1', request: ANNA })).toEqual(answer)
    expect(await entriesOf('issued')).toHaveLength(1)
    expect(await entriesOf('asked')).toHaveLength(3)
  })

  it('answers askers of one key at the same moment with one ticket', async () => {
    const authority = await start({ latencyMs: 20 })
    const answers = await Promise.all(Array.from({ length: 20 }, () => authority.issue({ key: 'k', request: ANNA })))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(await entriesOf('issued')).toHaveLength(1)
  })

  it('issues a second ticket to who asks under a second key: it does not hide that mistake', async () => {
    const authority = await start()
    const [a, b] = [
      await authority.issue({ key: 'a', request: ANNA }),
      await authority.issue({ key: 'b', request: ANNA }),
    ]
    expect([a, b].map((r) => r.kind === 'done' && r.answer.ticketNumber)).toEqual(['8880000000001', '8880000000002'])
  })

  it('issues consecutive numbers where one document does not hold all coupons, and refuses more than sixteen', async () => {
    const authority = await start()
    const journey = (count: number) => ({ ...ANNA, segments: Array.from({ length: count }, () => ({})) })
    const numbersOf = async (key: string, count: number) => {
      const result = await authority.issue({ key, request: journey(count) })
      if (result.kind !== 'done') return result.kind === 'refused' ? result.code : result.kind
      return [result.answer.ticketNumber, ...((result.answer.conjunctionNumbers as string[] | undefined) ?? [])]
    }
    expect(await numbersOf('four', 4)).toEqual(['8880000000001'])
    expect(await numbersOf('five', 5)).toEqual(['8880000000002', '8880000000002', '8880000000003'])
    expect(await numbersOf('sixteen', 16)).toHaveLength(5)
    expect(await numbersOf('seventeen', 17)).toBe('TOO_MANY_COUPONS')
    expect(await numbersOf('next', 1)).toEqual(['8880000000008'])
  })

  it('refuses another passenger under a key that has a ticket', async () => {
    const authority = await start()
    await authority.issue({ key: 'k', request: ANNA })
    const answer = await authority.issue({ key: 'k', request: { ...ANNA, passengerId: 'P2' } })
    expect(answer).toMatchObject({ kind: 'refused', code: 'KEY_REUSED', retryable: false })
  })

  it('finds a ticket by key, by passenger, and all of a booking', async () => {
    const authority = await start()
    expect(await authority.lookUp({ key: 'k1', request: ANNA })).toEqual({ kind: 'none' })
    const issued = await authority.issue({ key: 'k1', request: ANNA })
    const answer = issued.kind === 'done' ? issued.answer : {}
    expect(await authority.lookUp({ key: 'k1', request: ANNA })).toEqual({ kind: 'found', answer })
    expect(await authority.lookUp({ key: 'other', request: ANNA })).toEqual({ kind: 'found', answer })
    const emd = await authority.lookUp({ key: 'other', request: { ...ANNA, documentType: 'EMDA' } })
    expect(emd).toEqual({ kind: 'none' })
    const ofBooking = await authority.lookUp({ key: 'b', request: { bookingId: 'B1' } })
    expect(ofBooking).toEqual({ kind: 'found', answer: { tickets: [{ ...answer, status: 'active' }] } })
    const ofNone = await authority.lookUp({ key: 'b', request: { bookingId: 'B2' } })
    expect(ofNone).toEqual({ kind: 'found', answer: { tickets: [] } })
  })

  it('knows the tickets of the file it is given, and never gives their numbers away', async () => {
    const known = join(folder, 'authority.jsonl')
    const ticket = { ...ANNA, ticketNumber: '8880000000001', issuedAt: '2026-05-01T00:00:00.000Z' }
    await writeFile(known, `${JSON.stringify(ticket)}\n`)
    const authority = await start({ known })
    expect(await authority.lookUp({ key: 'x', request: ANNA })).toEqual({ kind: 'found', answer: ticket })
    const other = await authority.issue({ key: 'k', request: { ...ANNA, passengerId: 'P2' } })
    expect(other).toMatchObject({ kind: 'done', answer: { ticketNumber: '8880000000002' } })
  })

  it('refuses whom it was told to refuse, and records it', async () => {
    const refusals = [
      { bookingId: 'B1', passengerId: 'P2', code: 'BUSY', retryable: true },
      { bookingId: 'B2', code: 'NO_FARE' },
    ]
    const authority = await start({ refusals })
    const refused = await authority.issue({ key: 'a', request: { ...ANNA, passengerId: 'P2' } })
    expect(refused).toMatchObject({ kind: 'refused', code: 'BUSY', retryable: true })
    const whole = await authority.issue({ key: 'b', request: { bookingId: 'B2', passengerId: 'P9' } })
    expect(whole).toMatchObject({ kind: 'refused', code: 'NO_FARE', retryable: false })
    expect(await authority.issue({ key: 'c', request: ANNA })).toMatchObject({ kind: 'done' })
    expect((await entriesOf('refused')).map(({ code }) => code)).toEqual(['BUSY', 'NO_FARE'])
  })

  it('refuses a seeded share of the keys, the same ones each time', async () => {
    const authority = await start({ refusalRate: 0.3, seed: 7 })
    const refusedOf = async () => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          authority.issue({ key: `k${n}`, request: { ...ANNA, passengerId: `${n}` } }),
        ),
      )
      return answers.flatMap((answer, n) => (answer.kind === 'refused' ? [n] : []))
    }
    const refused = await refusedOf()
    expect(refused.length).toBeGreaterThan(10)
    expect(refused.length).toBeLessThan(60)
    expect(await refusedOf()).toEqual(refused)
  })

  it('is admitted to generated stores only', async () => {
    const authority = await start()
    expect(await authority.admits?.({ generated: true })).toEqual({ kind: 'admitted' })
    expect(await authority.admits?.({ generated: false })).toMatchObject({ kind: 'refused' })
  })

  it.each([
    ['its answer is lost', { lostRate: 1 }],
    ['it answers nonsense', { garbageRate: 1 }],
    ['it never answers', { hangRate: 1 }],
  ])('leaves the outcome unknown where %s, and has done the work once', async (_, behaviour) => {
    const bad = httpAuthority((await startInto(running, { ledger, ...behaviour })).url, { timeoutMs: 150 })
    for (let n = 0; n < 12; n += 1) {
      expect((await bad.issue({ key: 'k', request: ANNA })).kind).toBe('unknown')
    }
    expect((await bad.lookUp({ key: 'k', request: ANNA })).kind).toBe('unknown')
    await Promise.all(running.splice(0).map((simulator) => simulator.stop()))
    const good = await start()
    expect(await good.lookUp({ key: 'k', request: ANNA })).toMatchObject({
      kind: 'found',
      answer: { ticketNumber: '8880000000001' },
    })
    expect(await entriesOf('issued')).toHaveLength(1)
  })

  it('answers no nonsense that is taken for an answer', async () => {
    const authority = await start({ garbageRate: 1 })
    for (let n = 0; n < 100; n += 1) {
      expect((await authority.issue({ key: `k${n}`, request: ANNA })).kind).toBe('unknown')
      expect((await authority.lookUp({ key: `k${n}`, request: ANNA })).kind).toBe('unknown')
    }
  })

  it('lets a lost answer through on a later try', async () => {
    const authority = await start({ lostRate: 0.5, garbageRate: 0.2, seed: 3 })
    const kinds: string[] = []
    while (kinds.at(-1) !== 'done' && kinds.length < 50) {
      kinds.push((await authority.issue({ key: 'k', request: ANNA })).kind)
    }
    expect(kinds.at(-1)).toBe('done')
    expect(await entriesOf('issued')).toHaveLength(1)
  })

  it.each([
    ['a question without a key', '/issue', {}, ANNA],
    ['a question without a passenger', '/issue', { 'idempotency-key': 'k' }, { bookingId: 'B1' }],
    ['a question without a booking', '/lookup', { 'idempotency-key': 'k' }, {}],
    ['another path', '/void', { 'idempotency-key': 'k' }, ANNA],
    ['a body that is too long', '/issue', { 'idempotency-key': 'k' }, { ...ANNA, filler: 'x'.repeat(70_000) }],
  ])('answers %s with status 400 and records nothing', async (_, path, headers: Record<string, string>, body) => {
    const { url } = await startInto(running, { ledger })
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(response.status).toBe(400)
    expect(await entriesOf('asked')).toEqual([])
  })

  it('answers what is no JSON, or no POST, with status 400', async () => {
    const { url } = await startInto(running, { ledger })
    expect((await fetch(`${url}/issue`, { method: 'POST', body: '{' })).status).toBe(400)
    expect((await fetch(`${url}/issue`)).status).toBe(400)
  })

  it.each([
    ['a file that is no ledger', { kind: 'other' }, /is no ledger/],
    ['a ledger with a broken entry', { kind: 'issued', key: 'k' }, /is no ledger/],
  ])('does not start on %s', async (_, line, message) => {
    await writeFile(ledger, `${JSON.stringify(line)}\n`)
    await expect(start()).rejects.toThrow(message)
  })

  it('does not start with known tickets that are none, or with settings that make no sense', async () => {
    const known = join(folder, 'authority.jsonl')
    await expect(start({ known })).rejects.toBeInstanceOf(LinesUnusableError)
    await writeFile(known, '{"ticketNumber":1}\n')
    await expect(start({ known })).rejects.toThrow(/authority\.jsonl:1 is no ticket/)
    await expect(start({ lostRate: 2 })).rejects.toThrow(/lostRate/)
  })

  it('frees its ledger where its port is taken', async () => {
    const { url } = await startInto(running, { ledger: join(folder, 'other.jsonl') })
    await expect(start({ port: Number(new URL(url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(await (await start()).lookUp({ key: 'k', request: ANNA })).toEqual({ kind: 'none' })
  })
})

async function startInto(running: Simulator[], options: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator(options)
  running.push(simulator)
  return simulator
}
