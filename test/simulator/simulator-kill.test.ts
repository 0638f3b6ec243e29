import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpAuthority } from '../../src/authorities/http-authority.js'
import { Random } from '../../src/workload/random.js'
import { seedFor } from '../controls/seed.js'
import { spawnSimulator } from './simulator-process.js'

const CLIENT = fileURLToPath(new URL('asking-client.mjs', import.meta.url))
const run = promisify(execFile)

describe('the simulator as a process', () => {
  let folder: string
  let ledger: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'makegood-simulator-'))
    ledger = join(folder, 'ledger.jsonl')
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function issuedByKey(): Promise<Map<string, string[]>> {
    const byKey = new Map<string, string[]>()
    for (const line of (await readFile(ledger, 'utf8')).split('\n').filter((text) => text !== '')) {
      const entry = JSON.parse(line)
      if (entry.kind === 'issued') byKey.set(entry.key, [...(byKey.get(entry.key) ?? []), entry.ticket.ticketNumber])
    }
    return byKey
  }

  it('killed again and again while it is asked, never loses or doubles a number it has told', async () => {
    const kills = 8
    const random = new Random(seedFor('kills of the simulator'))
    const clients = 12
    const told = new Map<string, Set<string>>()
    let process = await spawnSimulator(['--ledger', ledger, '--latency-ms', '2'])
    const port = new URL(process.url).port
    let over = false
    const ask = async (client: number) => {
      const authority = httpAuthority(`http://127.0.0.1:${port}`, { timeoutMs: 2_000 })
      // Two clients share each key, so that one asks again what another was answered before a kill.
      for (let n = 0; !over; n += 1) {
        const key = `${client % (clients / 2)}-${n % 40}`
        const answer = await authority.issue({ key, request: { bookingId: key, passengerId: 'P1' } })
        if (answer.kind === 'done') told.set(key, (told.get(key) ?? new Set()).add(String(answer.answer.ticketNumber)))
        else await sleep(5)
      }
    }
    const asking = Array.from({ length: clients }, (_, client) => ask(client))
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(random.between(20, 150))
      await process.kill()
      process = await spawnSimulator(['--ledger', ledger, '--latency-ms', '2', '--port', port])
    }
    over = true
    await Promise.all(asking)
    expect(await process.end()).toBe(0)
    const issued = await issuedByKey()
    const numbers = [...issued.values()].flat()
    expect(told.size).toBeGreaterThan(20)
    expect(numbers).toHaveLength(issued.size)
    expect(new Set(numbers).size).toBe(numbers.length)
    for (const [key, answers] of told) expect([key, ...answers]).toEqual([key, ...(issued.get(key) ?? [])])
  })

  it('serves 50 processes that ask under the same keys: one number a key', async () => {
    const process_ = await spawnSimulator(['--ledger', ledger])
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => run(process.execPath, [CLIENT, process_.url, '10'])),
    )
    expect(await process_.end()).toBe(0)
    expect(new Set(answers.map(({ stdout }) => canonical(stdout))).size).toBe(1)
    expect((await issuedByKey()).size).toBe(10)
  })

  it.runIf(process.platform !== 'win32')('tells nothing that it could not write', async () => {
    const small = await spawnSimulator(['--ledger', ledger], { fileBlocksMax: 4 })
    const authority = httpAuthority(small.url)
    const kinds: string[] = []
    const told = new Set<unknown>()
    for (let n = 0; n < 40; n += 1) {
      const answer = await authority.issue({ key: `k${n}`, request: { bookingId: `B${n}`, passengerId: 'P1' } })
      kinds.push(answer.kind)
      if (answer.kind === 'done') told.add(answer.answer.ticketNumber)
    }
    await small.kill()
    expect(kinds[0]).toBe('done')
    expect(kinds.at(-1)).toBe('unknown')
    const again = await spawnSimulator(['--ledger', ledger])
    expect(await again.end()).toBe(0)
    const kept = new Set([...(await issuedByKey()).values()].flat())
    for (const number of told) expect(kept).toContain(number)
  })

  it('says how it is used, and ends with a sentence where it cannot start', async () => {
    await expect(spawnSimulator([])).rejects.toThrow(/exit 64: --ledger is needed.*Usage/s)
    await expect(spawnSimulator(['--ledger', join(folder, 'no', 'such')])).rejects.toThrow(/exit 1: .*cannot be opened/)
    await expect(spawnSimulator(['--ledger', ledger, '--lost-rate', 'x'])).rejects.toThrow(/exit 1: .*lostRate/s)
  })
})

function canonical(json: string): string {
  return JSON.stringify(Object.entries(JSON.parse(json)).sort())
}
