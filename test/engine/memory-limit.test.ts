// A replay under a memory limit says the same as one without, on real scratch space, and leaves nothing behind.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { type ReplayResult, replay } from '../../src/engine/replay.js'
import type { Scratch } from '../../src/engine/scratch.js'
import { folderScratch } from '../../src/scratch/folder-scratch.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { seedFor } from '../controls/seed.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-limit-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a replay under a memory limit', () => {
  const store = openMemoryStore()
  const workload = generate({ bookings: 1_600, seed: seedFor('memory limit'), scenario: 'mixed' })
  const now = Date.parse(workload.marker.now)
  let whole: ReplayResult
  beforeAll(async () => {
    await writeWorkload(store, workload)
    whole = await replay(store, booking, { now })
  })

  const within = async (bytesMax: number) => {
    const made: Scratch[] = []
    const scratch = () => {
      made.push(folderScratch(folder))
      return made.at(-1) as Scratch
    }
    const result = await replay(store, booking, { now, memory: { bytesMax, scratch } })
    return { result, spills: made.length }
  }

  it.each([
    ['everything at once', 0, 1],
    ['after some', 2_000_000, 1],
    ['almost at the end', 14_000_000, 1],
    ['never', 1_000_000_000, 0],
  ])('goes to scratch space %s, and finds the same in the same order', async (_, bytesMax, expected) => {
    const { result, spills } = await within(bytesMax)
    expect(spills).toBe(expected)
    expect(result.summary).toEqual({ ...whole.summary, elapsedMs: result.summary.elapsedMs })
    expect(result.findings).toEqual(whole.findings)
    expect(result.compensations.map(({ subject, heads, intents }) => ({ subject, heads, intents }))).toEqual(
      whole.compensations.map(({ subject, heads, intents }) => ({ subject, heads, intents })),
    )
    expect(whole.summary.findings['ticket-number-reused']).toBeGreaterThan(0)
    expect(readdirSync(folder)).toEqual([])
  })

  it('asks others once about each subject, and again only about those that share a key', async () => {
    const asked = new Map<string, number>()
    const lookUp = async (subject: string) => {
      asked.set(subject, (asked.get(subject) ?? 0) + 1)
      return {}
    }
    await replay(store, booking, { now, lookUp, memory: { bytesMax: 0, scratch: () => folderScratch(folder) } })
    expect(asked.size).toBe(1_600)
    const sharing = whole.findings.filter(({ rule }) => rule === 'ticket-number-reused').map(({ subject }) => subject)
    expect(
      [...asked]
        .filter(([, times]) => times > 1)
        .map(([subject]) => subject)
        .sort(),
    ).toEqual([...new Set(sharing)].sort())
  })

  it('is stopped in the middle of judging', async () => {
    const stop = new AbortController()
    const lookUp = async () => {
      stop.abort(new Error('enough'))
      return {}
    }
    const memory = { bytesMax: 0, scratch: () => folderScratch(folder) }
    await expect(replay(store, booking, { now, lookUp, memory, signal: stop.signal })).rejects.toThrow('enough')
    expect(readdirSync(folder)).toEqual([])
  })
})
