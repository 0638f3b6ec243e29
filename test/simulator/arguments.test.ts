import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseArguments } from '../../src/simulator/arguments.js'

describe("the simulator's arguments", () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'makegood-arguments-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('become settings, and go before those of the behaviour file', async () => {
    const behaviour = join(folder, 'behaviour.json')
    const refusals = [{ bookingId: 'B1', code: 'NO_FARE' }]
    await writeFile(behaviour, JSON.stringify({ refusals, lostRate: 0.5, seed: 1, ledger: 'other' }))
    const rates = ['--refusal-rate', '0.1', '--garbage-rate', '0.2', '--hang-rate', '0.3', '--latency-ms', '5']
    const args = ['--ledger', 'l', '--known', 'k', '--port', '80', '--seed', '9', '--behaviour', behaviour, ...rates]
    expect(parseArguments(args).options).toEqual({
      ledger: 'l',
      known: 'k',
      port: 80,
      seed: 9,
      refusals,
      lostRate: 0.5,
      refusalRate: 0.1,
      garbageRate: 0.2,
      hangRate: 0.3,
      latencyMs: 5,
    })
    expect(parseArguments(['--ledger', 'l'])).toEqual({ options: { ledger: 'l' }, untilInputEnds: false })
    expect(parseArguments(['--ledger', 'l', '--until-input-ends']).untilInputEnds).toBe(true)
  })

  it('are refused where they are unknown, or the ledger is not named', () => {
    expect(() => parseArguments([])).toThrow('--ledger is needed')
    expect(() => parseArguments(['--ledger', 'l', '--speed', '1'])).toThrow(/--speed/)
    expect(() => parseArguments(['--ledger', 'l', '--behaviour', join(folder, 'none')])).toThrow(/ENOENT/)
  })
})
