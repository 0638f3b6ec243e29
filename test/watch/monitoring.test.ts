// Metrics and health over HTTP, and what docs/monitoring makes of them: the rules are checked by promtool, and a real Prometheus scrapes a real
// watch, where Debian's package `prometheus` is installed.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EventStore } from '../../src/log/event-store.js'
import { openMetricsEndpoint } from '../../src/metrics-endpoint.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { WatchMetrics } from '../../src/watch/metrics.js'
import { type Happening, happen, NOW } from './live-airline.js'
import { issue, pay, WatchProcess } from './watch-process.js'
import { TestClock, until, Watching } from './watching.js'

const FOLDER = resolve(import.meta.dirname, '../../docs/monitoring')
const has = (program: string) => spawnSync(program, ['--version']).status === 0

let folder: string
let store: EventStore
const closing: (() => unknown)[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'makegood-watch-'))
  store = await openEmbeddedStore({ folder })
  closing.push(
    () => store.close(),
    () => rmSync(folder, { recursive: true, force: true }),
  )
})

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A real watch on the store, with the URL of its metrics. */
async function startWatch(): Promise<{ watching: WatchProcess; url: string }> {
  const watching = new WatchProcess(['--store', folder, '--metrics-port', '0', '--checkpoint-every', '50ms'])
  closing.unshift(() => (watching.isOver ? undefined : watching.end('SIGKILL')))
  await watching.catchUp()
  const [, url = ''] = /metrics on (http:\S+)\/metrics/.exec(watching.stderr) ?? []
  return { watching, url }
}

const get = async (url: string) => (await fetch(url)).text()

/** A metric's samples: labels and value. */
function samplesOf(text: string, metric: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
}

describe('metrics of a running watch', () => {
  it('say what operators look at', async () => {
    await pay(store, 'overdue', -60_000)
    const { watching, url } = await startWatch()
    await pay(store, 'quick', 600_000)
    await issue(store, 'quick', '1250000000001')
    const text = async () => get(`${url}/metrics`)
    await until(
      async () =>
        samplesOf(await text(), 'makegood_delivery_seconds_count').join() === 'makegood_delivery_seconds_count 1',
      'a delivery',
    )
    const metrics = await text()
    expect(samplesOf(metrics, 'makegood_findings')).toEqual([
      'makegood_findings{rule="paid-not-ticketed",severity="1",disposition="repair",age="1h"} 1',
    ])
    expect(samplesOf(metrics, 'makegood_findings_value_minor')).toEqual([
      'makegood_findings_value_minor{rule="paid-not-ticketed",currency="EUR",age="1h"} 20000',
    ])
    expect(samplesOf(metrics, 'makegood_watch_state')).toContain('makegood_watch_state{state="live"} 1')
    expect(samplesOf(metrics, 'makegood_alerts_open')).toEqual([
      'makegood_alerts_open{rule="paid-not-ticketed",page="no"} 1',
    ])
    const [left = ''] = samplesOf(metrics, 'makegood_finding_time_left_seconds')
    expect(Number(left.split(' ')[1])).toBeGreaterThan(38 * 86_400)
    const [oldest = ''] = samplesOf(metrics, 'makegood_finding_oldest_seconds')
    expect(Number(oldest.split(' ')[1])).toBeGreaterThanOrEqual(960)
    await watching.end('SIGINT')
  })

  it('tell health: live as long as it does anything, ready while it knows the log to its end', async () => {
    await pay(store, 'fine', 600_000)
    const { watching, url } = await startWatch()
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    expect((await fetch(`${url}/health/ready`)).status).toBe(200)
    expect((await fetch(`${url}/else`)).status).toBe(404)
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405)
    const second = new WatchProcess(['--store', folder, '--metrics-port', '0'])
    closing.unshift(() => second.end('SIGKILL'))
    await second.says('standing by')
    const [, standby = ''] = /metrics on (http:\S+)\/metrics/.exec(second.stderr) ?? []
    const ready = await fetch(`${standby}/health/ready`)
    expect([ready.status, await ready.text()]).toEqual([503, 'standing by, or waiting for the store\n'])
    expect((await fetch(`${standby}/health/live`)).status).toBe(200)
    expect(await watching.end('SIGTERM')).toBe(0)
  })
})

describe('docs/monitoring', () => {
  it('asks for no metric that there is not', async () => {
    const memory = openMemoryStore()
    const at = new Date(NOW).toISOString()
    const paid: Happening = {
      subject: 'b1',
      category: 'payment',
      what: 'event',
      type: 'PaymentCaptured',
      data: { passengers: ['p1'], amountMinor: 1, at },
    }
    await happen(memory, paid)
    const watching = new Watching(memory, new TestClock())
    await until(() => watching.told.length === 1, 'told')
    const webhook = { backlog: 0, failures: 0 }
    const metrics = new WatchMetrics({ session: () => watching.session, webhook: () => webhook })
    const known = new Set((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name))
    await watching.drain()
    for (const file of ['alert-rules.yml', 'dashboard.json']) {
      const asked = new Set(readFileSync(join(FOLDER, file), 'utf8').match(/\bmakegood_[a-z_]+/g))
      const missing = [...asked].filter((name) => !known.has(name.replace(/_(bucket|count|sum)$/, '')))
      expect([file, missing]).toEqual([file, []])
      expect(asked.size).toBeGreaterThan(8)
    }
  })

  it.skipIf(!has('promtool'))('has rules that promtool takes, and that say what they should, when they should', () => {
    for (const args of [
      ['check', 'rules', 'alert-rules.yml'],
      ['check', 'config', 'prometheus.yml'],
      ['test', 'rules', 'alert-rules.test.yml'],
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: FOLDER, encoding: 'utf8' })
      expect([args.join(' '), status, status === 0 ? '' : stdout + stderr]).toEqual([args.join(' '), 0, ''])
    }
  })

  it.skipIf(!has('promtool'))('has metrics that promtool finds nothing wrong with', async () => {
    await pay(store, 'overdue', -60_000)
    const { url } = await startWatch()
    const input = await get(`${url}/metrics`)
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' })
    expect([status, stdout + stderr]).toEqual([0, ''])
  })

  it.skipIf(!has('prometheus'))('is what a real Prometheus scrapes a real watch with', async () => {
    await pay(store, 'overdue', -60_000)
    const { url } = await startWatch()
    const port = await freePort()
    const config = readFileSync(join(FOLDER, 'prometheus.yml'), 'utf8')
      .replaceAll('15s', '1s')
      .replace('127.0.0.1:9464', new URL(url).host)
      .replace('alert-rules.yml', join(FOLDER, 'alert-rules.yml'))
    writeFileSync(join(folder, 'prometheus.yml'), config)
    const prometheus = spawn(
      'prometheus',
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/tsdb`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    )
    closing.unshift(async () => {
      prometheus.kill('SIGKILL')
      await once(prometheus, 'close')
    })
    const query = encodeURIComponent('sum(makegood_findings{rule="paid-not-ticketed", job="makegood"})')
    const ask = async () => {
      const answer = await get(`http://127.0.0.1:${port}/api/v1/query?query=${query}`).catch(() => '{}')
      return (JSON.parse(answer) as { data?: { result: { value: [number, string] }[] } }).data?.result[0]?.value[1]
    }
    await until(async () => (await ask().catch(() => undefined)) === '1', 'the finding in Prometheus')
  })

  it('cannot be served on a port that is taken, and says so', async () => {
    const taken = createServer()
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
    closing.unshift(() => taken.close())
    const { port } = taken.address() as AddressInfo
    const nothing = () => undefined
    const opening = openMetricsEndpoint({
      port,
      host: '127.0.0.1',
      metrics: async () => '',
      unhealthy: nothing,
      unready: nothing,
    })
    await expect(opening).rejects.toThrow(`127.0.0.1:${port} cannot be listened on`)
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
