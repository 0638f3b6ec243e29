// `makegood watch` as people and scripts meet it: what it prints, how it ends, what it refuses.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UsageError } from '../../src/cli/exit-codes.js'
import {
  isFromStart,
  nameOf,
  type WatchCommandOptions,
  webhookUrl,
  withWatchOptions,
} from '../../src/cli/watch-options.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { makegood, rowsOf } from '../cli/run-makegood.js'
import { Receiver } from './receiver.js'
import { issue, pay, WatchProcess } from './watch-process.js'
import { until } from './watching.js'

let folder: string
let store: EventStore

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'makegood-watch-'))
  store = await openEmbeddedStore({ folder })
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const once = (...args: string[]) => makegood(['watch', '--store', folder, '--once', '--lease', '200ms', ...args])

describe('makegood watch', () => {
  it('--once says what is new and ends with 2 while anything is open, with 0 when nothing is', async () => {
    await pay(store, 'B1', -1_000)
    const first = await once()
    expect(rowsOf(first).map(({ type, change, rule, subject }) => [type, change, rule, subject])).toEqual([
      ['alert', 'opened', 'paid-not-ticketed', 'B1'],
    ])
    expect(first.code).toBe(2)
    const second = await once()
    expect([second.stdout, second.code]).toEqual(['', 2])
    await issue(store, 'B1', '1250000000001')
    const third = await once()
    expect(rowsOf(third).map(({ change, id }) => [change, id])).toEqual([['resolved', rowsOf(first)[0]?.id]])
    expect(third.code).toBe(0)
  })

  it('--once ends when its alerts are delivered, and gives up waiting for a webhook that is down', async () => {
    const receiver = await Receiver.open()
    await pay(store, 'B1', -1_000)
    expect((await once('--webhook', receiver.url.href)).code).toBe(2)
    expect(receiver.changes).toEqual(['opened B1'])
    receiver.answer = 503
    await pay(store, 'B2', -1_000)
    expect((await once('--webhook', receiver.url.href)).code).toBe(2)
    expect(receiver.changes).toEqual(['opened B1'])
    receiver.answer = 200
    await once('--webhook', receiver.url.href)
    expect(receiver.changes).toEqual(['opened B1', 'opened B2'])
    receiver.close()
  })

  it('prints a line a person can read on a terminal', async () => {
    await pay(store, 'B1', -1_000)
    const { stdout } = await once('--format', 'table')
    expect(stdout).toMatch(/^\S+Z opened paid-not-ticketed: B1 \(severity 1, since \S+Z, [0-9a-f-]{36}\)\n$/)
  })

  it('says that a ticket is missing as its deadline passes, and resolves it as the ticket comes', async () => {
    await pay(store, 'B1', 1_500)
    const watching = new WatchProcess(['--store', folder])
    await until(
      () => watching.told.length === 1,
      () => watching.stderr,
    )
    await issue(store, 'B1', '1250000000001')
    await until(
      () => watching.told.length === 2,
      () => watching.stderr,
    )
    expect(watching.told.map(({ change, rule }) => `${change} ${rule}`)).toEqual([
      'opened paid-not-ticketed',
      'resolved paid-not-ticketed',
    ])
    const [opened] = watching.told
    expect(Date.parse(opened?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(opened?.since ?? '') + 15 * 60_000)
    expect(await watching.end('SIGINT')).toBe(130)
  })

  it('ends when nobody reads what it prints any more', async () => {
    await pay(store, 'B1', -1_000)
    const watching = new WatchProcess(['--store', folder])
    await until(
      () => watching.told.length === 1,
      () => watching.stderr,
    )
    watching.child.stdout?.destroy()
    for (let n = 2; !watching.isOver; n += 1) {
      await pay(store, `B${n}`, -1_000)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await watching.ended()).toBe(1)
    expect(watching.stderr).toContain('the output was closed')
  })

  it.each<[string, string[], RegExp]>([
    ['a name with a slash', ['--name', 'a/b'], /--name a\/b: expected small letters/],
    ['a beginning nobody knows', ['--from', 'yesterday'], /--from yesterday: expected start or checkpoint/],
    ['an outage without a time', ['--outage', '20'], /--outage 20: expected findings and a time, such as 20\/10m/],
    ['a length of time that is none', ['--lag-alarm', 'soon'], /--lag-alarm soon: expected a length of time/],
    ['a webhook that is no URL', ['--webhook', 'ftp://x'], /--webhook: expected a URL that begins with https/],
    ['a port that is none', ['--metrics-port', '70000'], /--metrics-port 70000: expected a number up to 65535/],
  ])('refuses %s', (_, args, message) => {
    const read = () => {
      const options = withWatchOptions(new Command()).parse(args, { from: 'user' }).opts<WatchCommandOptions>()
      return [nameOf(options, 'booking'), isFromStart(options), webhookUrl(options)]
    }
    expect(read).toThrow(UsageError)
    expect(read).toThrow(message)
  })

  it('refuses a format for what ends, as a mistake of usage', async () => {
    await pay(store, 'B1', 600_000)
    const { code, stderr } = await once('--format', 'csv')
    expect(stderr).toMatch(/--format csv: watch prints table or ndjson/)
    expect(code).toBe(64)
  })

  it('refuses a folder that is no store, and makes nothing of it', async () => {
    const { code, stderr } = await once()
    expect(stderr).toMatch(/holds no store/)
    expect(code).toBe(69)
    expect(readdirSync(folder)).toEqual([])
  })

  it('refuses the checkpoint of another projection, and says how to choose', async () => {
    await pay(store, 'B1', 600_000)
    expect((await once('--name', 'mine')).code).toBe(0)
    const { code, stderr } = await once('--name', 'mine', '--projection', 'transactions')
    expect(stderr).toMatch(/checkpoint is of projection booking, version .*--name .*--from start/)
    expect(code).toBe(64)
  })

  it('takes the present of a generated store from its marker', async () => {
    await store.close()
    rmSync(folder, { recursive: true })
    const generated = await makegood(['generate', '--bookings', '200', '--seed', '3', '--store', folder])
    expect(generated.code).toBe(0)
    const [scan, watch] = [await makegood(['scan', '--store', folder]), await once()]
    const found = rowsOf(scan).filter(({ type, disposition }) => type === 'finding' && disposition !== 'observe')
    const alerts = rowsOf(watch).filter(({ subject }) => subject !== null)
    expect(alerts.map(({ id }) => id).sort()).toEqual(found.map(({ id }) => id).sort())
    store = await openEmbeddedStore({ folder })
  })
})
