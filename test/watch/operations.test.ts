// "A day" of docs/operations.md, run as it is written: an outage, its alert, a look at it, a plan, its approval, the repair, and the alerts resolved.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AlertRecord } from '../../src/watch/alert.js'
import { makegood, type Ran, rowsOf, summaryOf } from '../cli/run-makegood.js'
import { WatchProcess } from './watch-process.js'
import { until } from './watching.js'

const PAGE = readFileSync(resolve(import.meta.dirname, '../../docs/operations.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'makegood-watch-'))
let watching: WatchProcess
const ran = new Map<string, Ran>()

/** The command lines of the day, each as its words. */
function linesOfTheDay(): string[][] {
  const [, day = ''] = PAGE.split('\n## A day\n')
  return [...day.matchAll(/^ {4}makegood (.*)$/gm)].map(([, line = '']) => line.split(' '))
}

async function run(words: readonly string[]): Promise<void> {
  const [command = ''] = words
  if (command === 'watch') {
    expect(words.slice(-3)).toEqual(['>', 'alerts.ndjson', '&'])
    watching = new WatchProcess(words.slice(1, -3), {}, folder)
    await watching.catchUp()
    await until(
      () => watching.told.length > 0,
      () => watching.stderr,
    )
    return
  }
  const digest = () => (JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as { digest: string }).digest
  const args = words.map((word) => (word === 'sha256:…' ? digest() : word))
  ran.set(command, await makegood(args, { cwd: folder }))
}

beforeAll(async () => {
  for (const words of linesOfTheDay()) await run(words)
})

afterAll(async () => {
  if (!watching.isOver) await watching.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

describe('a day of an operator', () => {
  it('is told in full', () => {
    expect(linesOfTheDay().map(([command]) => command)).toEqual([
      'generate',
      'watch',
      'timeline',
      'scan',
      'plan',
      'apply',
      'verify',
      'cases',
    ])
  })

  it('begins with one alert for the outage, which names its window and its first and last booking', () => {
    const [outage] = watching.told
    expect(outage).toMatchObject({ change: 'opened', rule: 'outage', page: 'many at once: paid-not-ticketed' })
    const { detail } = outage as AlertRecord
    expect(detail).toMatchObject({
      of: 'paid-not-ticketed',
      first: { subject: expect.stringMatching(/^B\d+$/) },
      last: { subject: expect.stringMatching(/^B\d+$/) },
    })
    expect(detail.count).toBeGreaterThan(40)
    // The scenario's outage: eight hours of the third day, from six in the morning on.
    const { from, to } = detail.window as { from: string; to: string }
    expect(from).toMatch(/^2026-05-03T0[5-7]/)
    expect(to).toMatch(/^2026-05-03T1[3-5]/)
  })

  it('shows one booking: paid, and no ticket', () => {
    const types = rowsOf(ran.get('timeline') as Ran).map(({ eventType }) => eventType)
    expect(types).toContain('PaymentCaptured')
    expect(types).not.toContain('TicketIssued')
  })

  it('ends with what was repaired resolved, and told', async () => {
    const applied = summaryOf(ran.get('apply') as Ran).outcomes as { applied: number }
    expect(applied.applied).toBeGreaterThan(40)
    const owedBefore = watching.told.filter(({ change, rule }) => change === 'opened' && rule === 'paid-not-ticketed')
    const { 'paid-not-ticketed': left = 0 } = summaryOf(ran.get('verify') as Ran).findings as Record<string, number>
    const resolved = () =>
      watching.told.filter(({ change, rule }) => change === 'resolved' && rule === 'paid-not-ticketed')
    await until(
      () => resolved().length === owedBefore.length - left,
      () => `resolved: ${resolved().length}`,
    )
    expect(resolved().length).toBeGreaterThan(40)
    expect(rowsOf(ran.get('cases') as Ran).filter(({ type }) => type === 'case').length).toBeGreaterThan(10)
    expect(await watching.end('SIGTERM')).toBe(0)
  })
})
