// What must not be applied, and authorities that cannot be trusted, before real processes: refused by name, or unknown; never success.
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { digestOf } from '../../src/engine/digest.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { eventsOfLog } from '../controls/events.js'
import { write } from '../controls/log-writer.js'
import { breachesAtEnd } from './end.js'
import { type End, rowsIn, runMakegood } from './makegood-process.js'
import { Outage, type Planned } from './outage.js'

const SEED = 11
/** Processes beside those of other tests, on two cores. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let outage: Outage
let planned: Planned

beforeAll(async () => {
  outage = await Outage.make({ seed: SEED, bookings: 120 })
  planned = await outage.plan('plan')
})
afterAll(() => outage.end())

function apply(file: string, options: { store?: string; digest?: string; authority?: string; more?: string[] } = {}) {
  const { store = outage.store, digest = planned.plan.digest, authority = outage.url, more = [] } = options
  return runMakegood('apply', file, '--store', store, '--approve', digest, '--authority', authority, ...more)
}

/** Events of the domain's streams, and questions to the authority. */
async function touched(): Promise<{ events: number; asked: number }> {
  const { events, ledger } = await outage.evidence()
  return { events: events.filter(({ stream }) => !stream.startsWith('makegood.')).length, asked: ledger.length }
}

function outcomesOf({ stdout }: End): string[] {
  const items = rowsIn(stdout).filter(({ type }) => type === 'item')
  return [...new Set(items.map(({ outcome }) => String(outcome)))].sort()
}

describe('a plan that does not belong here', () => {
  it('made at another store is refused with 4, and nothing is asked or written', async () => {
    const other = await Outage.make({ seed: SEED + 1, bookings: 120 })
    const before = await touched()
    const { plan, file } = await other.plan('other')
    expect(plan.items.length).toBeGreaterThan(0)
    const end = await apply(file, { digest: plan.digest })
    await other.end()
    expect([end.code, end.stderr]).toEqual([4, expect.stringContaining('made at another store')])
    expect(await touched()).toEqual(before)
  })

  it('made at another store that has the same event at the cut is refused at its first item', async () => {
    const before = await touched()
    const items = planned.plan.items.map((item) => ({
      ...item,
      evidence: {
        ...item.evidence,
        heads: item.evidence.heads.map((head) => ({ ...head, id: planned.plan.cut?.eventId })),
      },
    }))
    const { file, digest } = await rewritten({ items })
    const end = await apply(file, { digest })
    expect([end.code, end.stderr]).toEqual([4, expect.stringContaining('does not stand at revision')])
    expect(await touched()).toEqual(before)
  })

  it('made for another version of the rules is refused with 4', async () => {
    const before = await touched()
    const { file, digest } = await rewritten({ version: '0' })
    const end = await apply(file, { digest })
    expect([end.code, end.stderr]).toEqual([4, expect.stringContaining('is for booking 0, the rules here are booking')])
    expect(await touched()).toEqual(before)
  })

  it('edited after it was made is refused with 1, whatever was approved', async () => {
    const before = await touched()
    const text = await readFile(planned.file, 'utf8')
    const file = join(outage.folder, 'edited.json')
    const edited = text.replace(/"passengerId": ?"P1"/, '"passengerId":"P9"')
    expect(edited).not.toBe(text)
    await writeFile(file, edited)
    const end = await apply(file)
    expect([end.code, end.stderr]).toEqual([1, expect.stringContaining('was changed after it was made')])
    expect(await touched()).toEqual(before)
  })

  /** The plan with other content and the digest that belongs to it: one who can edit it can do that too. */
  async function rewritten(fields: object): Promise<{ file: string; digest: string }> {
    const { digest: _, ...content } = { ...planned.plan, ...fields }
    const digest = digestOf(JSON.parse(JSON.stringify(content)))
    const file = join(outage.folder, 'rewritten.json')
    await writeFile(file, JSON.stringify({ ...content, digest }))
    return { file, digest }
  }
})

describe('an authority', () => {
  it('that cannot be reached, or does not know what it is asked, claims nothing', async () => {
    const before = await touched()
    const elsewhere = createServer((_, response) => response.writeHead(200).end('welcome'))
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    const { port } = elsewhere.address() as AddressInfo
    for (const authority of ['http://127.0.0.1:9', `http://127.0.0.1:${port}`]) {
      const end = await apply(planned.file, { authority })
      expect([end.code, end.stderr]).toEqual([1, expect.stringContaining(`${authority} does not say whether`)])
    }
    elsewhere.close()
    expect(await touched()).toEqual(before)
  })

  it('must be named where bookings are real, and a simulator serves none of them', async () => {
    const real = await realStore()
    const made = ['--store', real.store, '--approve', real.digest]
    const unnamed = await runMakegood('apply', real.file, ...made)
    expect([unnamed.code, unnamed.stderr]).toEqual([64, expect.stringContaining('--authority is missing')])
    const simulated = await runMakegood('apply', real.file, ...made, '--authority', outage.url)
    const refusal = expect.stringContaining('only for a store that is marked as generated')
    expect([simulated.code, simulated.stderr]).toEqual([1, refusal])
    expect(await real.streams()).toEqual(['payment'])
  })

  it.each([
    ['that talks nonsense', { garbageRate: 1 }],
    ['whose answers are lost', { lostRate: 1 }],
    ['that never answers', { hangRate: 1 }],
  ])('%s leaves every item unknown, with the claim open and no ticket recorded', async (_, misfortune) => {
    await outage.startSimulator({ seed: SEED, ...misfortune })
    const end = await apply(planned.file, { more: ['--max', '3'] })
    expect(outcomesOf(end)).toEqual(['unknown'])
    expect(end.code).toBe(6)
    const { events } = await outage.evidence()
    expect(events.filter(({ data }) => data.origin === 'REPAIR').map(({ type }) => type)).toEqual(
      Array(3).fill('TicketIssueRequested'),
    )
  })

  it('that has recovered is asked under the same keys, and all is made good once', async () => {
    expect(await breachesAtEnd(outage, [planned], { seed: SEED })).toEqual([])
  })

  /** The payments of the outage in a store without a marker, and a plan for it. */
  async function realStore() {
    const folder = join(outage.folder, 'real')
    const store = await openEmbeddedStore({ folder })
    const paid = (await outage.evidence()).events.filter(({ stream }) => stream.startsWith('payment-'))
    for (const { stream, type, data } of paid) await write(store, stream, { type, data })
    await store.close()
    const file = join(outage.folder, 'real.json')
    expect((await runMakegood('plan', '--store', folder, '--out', file, '--now', outage.now)).code).toBe(0)
    const { digest } = JSON.parse(await readFile(file, 'utf8')) as { digest: string }
    const streams = async () => {
      const reader = await openEmbeddedStore({ folder, readOnly: true })
      const names = (await eventsOfLog(reader)).map(({ stream }) => stream.split('-')[0])
      await reader.close()
      return [...new Set(names)]
    }
    return { store: folder, file, digest, streams }
  }
})
