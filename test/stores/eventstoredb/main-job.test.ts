// The main job by the public commands on a server in another process: the same findings and digests as on a folder, and no secret in any output.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makegood, newFolder, rowsOf, summaryOf } from '../../cli/run-makegood.js'
import { startServe } from '../../server/serve-process.js'
import { spawnSimulator } from '../../simulator/simulator-process.js'

const EXAMPLES = resolve(import.meta.dirname, '../../../examples')
const LOGS = ['--payments', join(EXAMPLES, 'payments.json'), '--tickets', join(EXAMPLES, 'tickets.json')]
const NOW = ['--now', '2026-11-25T10:00:00Z']
const BY = ['--projection', 'transactions']

/** Many processes, on a machine that may be busy. */
const LONG_MS = 180_000

interface Homes {
  readonly folder: string
  readonly server: readonly string[]
  readonly home: readonly string[]
}

/** A folder, and a server over another one. */
async function makeHomes(): Promise<Homes> {
  const folder = newFolder()
  const { connectionString } = await startServe(['--insecure', '--store', join(folder, 'served')])
  return { folder, server: ['--store', connectionString], home: ['--store', join(folder, 'home')] }
}

/** Findings without where and when they were found. */
function findingsOf(ran: Awaited<ReturnType<typeof makegood>>): unknown[] {
  return rowsOf(ran).filter(({ type }) => type === 'finding')
}

async function plan(store: readonly string[], file: string, options: readonly string[] = []): Promise<string> {
  const planned = await makegood(['plan', '--out', file, ...options, ...store])
  expect([planned.code, planned.stderr]).toEqual([0, ''])
  return String(summaryOf(planned).digest)
}

/** Import, scan, plan, apply, verify, scan: all that does not depend on the moment. */
async function doJob(store: readonly string[], file: string) {
  const imported = summaryOf(await makegood(['import', ...LOGS, ...store]))
  const again = summaryOf(await makegood(['import', ...LOGS, ...store]))
  const scanned = await makegood(['scan', ...BY, ...NOW, ...store])
  const digest = await plan(store, file, BY)
  const applied = await makegood(['apply', file, '--approve', digest, ...store])
  const verified = await makegood(['verify', ...BY, ...store])
  const after = await makegood(['scan', ...BY, ...NOW, ...store])
  return {
    imports: [imported.added, imported.present, again.added, again.present],
    findings: findingsOf(scanned),
    digests: [scanned, after].map((ran) => summaryOf(ran).digest),
    outcomes: summaryOf(applied).outcomes,
    bad: summaryOf(verified).bad,
    codes: [scanned, applied, verified, after].map(({ code }) => code),
  }
}

describe('the main job on a server in another process', () => {
  test('imports, finds, plans, repairs and verifies as on a folder', { timeout: LONG_MS }, async () => {
    const { folder, server, home } = await makeHomes()
    const outcomes = await Promise.all([server, home].map((store, i) => doJob(store, join(folder, `plan-${i}.json`))))
    expect(outcomes[0]).toEqual(outcomes[1])
    expect(outcomes[0]).toMatchObject({ imports: [7, 0, 0, 7], bad: 0, codes: [2, 0, 0, 0] })
    expect(outcomes[0]?.findings).toHaveLength(2)
  })

  test('repairs an outage of made-up bookings, once, and only with its own plan', { timeout: LONG_MS }, async () => {
    const { folder, server, home } = await makeHomes()
    const made = ['--bookings', '120', '--seed', '11', '--scenario', 'outage']
    const generate = async (store: readonly string[], i: number) => {
      const generated = await makegood(['generate', ...made, ...store, '--truth', join(folder, `truth-${i}`)])
      expect([generated.code, generated.stderr]).toEqual([0, ''])
      return summaryOf(await makegood(['scan', ...store])).digest
    }
    const digests = await Promise.all([server, home].map(generate))
    expect(digests[0]).toBe(digests[1])
    const known = ['--known', join(folder, 'truth-0', 'authority.jsonl')]
    const simulator = await spawnSimulator(['--ledger', join(folder, 'ledger.jsonl'), '--port', '0', ...known])
    onTestFinished(() => simulator.kill())
    const file = join(folder, 'plan.json')
    const digest = await plan(server, file)
    const apply = (store: readonly string[]) =>
      makegood(['apply', file, '--approve', digest, '--authority', simulator.url, ...store])
    const foreign = await apply(home)
    expect([foreign.code, foreign.stderr]).toEqual([4, expect.stringContaining('another store')])
    const items = JSON.parse(readFileSync(file, 'utf8')).items.length
    expect(items).toBeGreaterThan(5)
    const [first, second] = [await apply(server), await apply(server)]
    expect(summaryOf(first)).toMatchObject({ complete: true, outcomes: { applied: items } })
    expect(summaryOf(second)).toMatchObject({ complete: true, outcomes: { applied: 0, 'already-good': items } })
    expect(summaryOf(await makegood(['verify', ...server]))).toMatchObject({ items, bad: 0, doubled: {} })
  })
})

describe('a password in the connection string', () => {
  test('is in no output, whatever goes wrong', { timeout: LONG_MS }, async () => {
    const secret = 'c4nary-pa55'
    const folder = newFolder()
    const stores: [string, number][] = [
      [`esdb://admin:${secret}@127.0.0.1:1?maxDiscoverAttempts=1`, 69],
      [`esdb://admin:${secret}@h?nope=1`, 64],
    ]
    const failing = async ([command, ...options]: readonly string[], [store, expected]: [string, number]) => {
      const { code, stdout, stderr } = await makegood([
        String(command),
        ...options,
        '--store',
        store,
        '--log-level',
        'trace',
      ])
      expect([command, code]).toEqual([command, expected])
      expect(stdout + stderr).not.toContain(secret)
    }
    const commands = [['scan'], ['doctor'], ['generate', '--bookings', '1', '--truth', folder]]
    await Promise.all(stores.flatMap((store) => commands.map((command) => failing(command, store))))
  })
})
