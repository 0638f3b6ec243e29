// Traces of the built program, as a collector on loopback gets them; and that nothing else changes by them, whether they are kept, refused or hang.
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { jsonEvent } from '../src/log/event.js'
import type { EventStore } from '../src/log/event-store.js'
import { traceContextIn } from '../src/log/tracing.js'
import { openEmbeddedStore } from '../src/stores/embedded/embedded-store.js'
import { makegood, newFolder, rowsOf, summaryOf } from './cli/run-makegood.js'
import { eventsOfLog } from './controls/events.js'
import { attributesOf, type CollectedSpan, TraceCollector } from './controls/trace-collector.js'
import { Receiver } from './watch/receiver.js'
import { pay, WatchProcess } from './watch/watch-process.js'
import { until } from './watch/watching.js'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function folder(): string {
  const made = newFolder()
  ends.push(() => rmSync(made, { recursive: true, force: true }))
  return made
}

async function collector(options?: { hangs?: boolean }): Promise<TraceCollector> {
  const opened = await TraceCollector.open(options)
  ends.push(() => opened.close())
  return opened
}

async function openStore(path: string): Promise<EventStore> {
  const store = await openEmbeddedStore({ folder: path })
  ends.push(() => store.close())
  return store
}

/** A generated store with a few bookings to repair, planned. */
async function planned(env: Record<string, string> = {}): Promise<{ store: string; plan: string; digest: string }> {
  const store = join(folder(), 'store')
  const plan = `${store}.json`
  await makegood(['generate', '--bookings', '60', '--seed', '7', '--scenario', 'outage', '--store', store])
  const ran = await makegood(['plan', '--store', store, '--out', plan, '--format', 'ndjson'], { env })
  return { store, plan, digest: String(summaryOf(ran).digest) }
}

function apply({ store, plan, digest }: { store: string; plan: string; digest: string }, env = {}) {
  const command = ['apply', plan, '--store', store, '--approve', digest, '--approver', 'maria', '--format', 'ndjson']
  return makegood(command, { env })
}

function traceparentOf({ traceId, spanId }: CollectedSpan): string {
  return `00-${traceId}-${spanId}-01`
}

describe('traces of a repair', () => {
  it('are a span for the command, one an item, and within it the claim, the authority and the record', async () => {
    const traces = await collector()
    const env = { ...traces.env, OTEL_SERVICE_NAME: 'repairs', OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=airline' }
    const run = await planned()
    const ran = await apply(run, env)
    const applied = rowsOf(ran).filter(({ outcome }) => outcome === 'applied')
    expect(applied.length).toBeGreaterThan(0)
    expect(traces.resources[0]).toMatchObject({ 'service.name': 'repairs' })
    expect(traces.headers[0]).toMatchObject({ 'x-tenant': 'airline' })
    const [command] = traces.named('makegood apply')
    expect(attributesOf(command as CollectedSpan)).toMatchObject({ 'makegood.exitCode': ran.code })
    const items = traces.named('repair.item')
    expect(items.filter((item) => attributesOf(item)['makegood.outcome'] === 'applied')).toHaveLength(applied.length)
    for (const item of items) expect(item.parentSpanId).toBe(command?.spanId)
    const [item] = items
    const parts = traces.spans.filter(({ parentSpanId }) => parentSpanId === item?.spanId).map(({ name }) => name)
    expect(parts).toEqual(['repair.claim', 'authority.lookUp', 'authority.issue', 'repair.settle'])
  })

  it('are carried in the metadata of what is appended', async () => {
    const traces = await collector()
    const run = await planned()
    await apply(run, traces.env)
    const events = await eventsOfLog(await openStore(run.store))
    const carried = events.flatMap(({ metadata }) => traceContextIn(metadata)?.traceparent ?? [])
    const spans = [...traces.named('repair.claim'), ...traces.named('repair.settle')].map(traceparentOf)
    expect(carried.length).toBeGreaterThan(0)
    expect(new Set(carried)).toEqual(new Set(spans))
  })

  it('change neither plan nor outcomes, and off leave nothing in the log', async () => {
    const traces = await collector()
    const [traced, plain] = [await planned(traces.env), await planned()]
    expect(traces.named('makegood plan')).toHaveLength(1)
    const ways = [apply(traced, traces.env), apply(plain, { ...traces.env, OTEL_SDK_DISABLED: 'true' })]
    const [one, other] = (await Promise.all(ways)).map((ran) => rowsOf(ran).map(({ key, outcome }) => [key, outcome]))
    expect(one?.toSorted()).toEqual(other?.toSorted())
    const events = await eventsOfLog(await openStore(plain.store))
    expect(events.filter(({ metadata }) => Buffer.from(metadata).includes('traceparent'))).toEqual([])
  })

  it('are lost where the collector hangs or is not there, and nothing else is', async () => {
    const hanging = await collector({ hangs: true })
    for (const env of [hanging.env, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }]) {
      const run = await planned()
      const ran = await apply(run, { ...env, OTEL_EXPORTER_OTLP_TIMEOUT: '300' })
      expect(rowsOf(ran).filter(({ outcome }) => outcome === 'applied').length).toBeGreaterThan(0)
      expect([ran.code, ran.stderr]).toEqual([expect.any(Number), expect.stringContaining('traces: ')])
    }
    expect(hanging.headers.length).toBeGreaterThan(0)
  })
})

describe('traces of a watch', () => {
  it('go from the event that caused an alert to its publishing and its delivery', async () => {
    const [traces, receiver] = [await collector(), await Receiver.open()]
    ends.push(() => receiver.close())
    const path = folder()
    const store = await openStore(path)
    await pay(store, 'B1', 3_600_000)
    const watch = new WatchProcess(['--store', path, '--webhook', receiver.url.href], {
      ...traces.env,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    })
    ends.push(() => watch.end('SIGKILL'))
    await watch.catchUp()
    await pay(store, 'B2', -60_000)
    await until(
      () => receiver.got.some(({ record }) => record.subject === 'B2'),
      () => watch.stderr,
    )
    await until(() => traces.named('webhook.deliver').length > 0, 'the span of the delivery')
    const [publish] = traces.named('alert.publish')
    const [batch] = traces.named('watch.batch')
    const [delivery] = traces.named('webhook.deliver')
    expect(publish?.parentSpanId).toBe(batch?.spanId)
    expect(batch?.parentSpanId).toBeFalsy()
    expect(attributesOf(publish as CollectedSpan)).toMatchObject({ 'makegood.rules': ['paid-not-ticketed'] })
    expect(delivery?.parentSpanId).toBe(publish?.spanId)
    expect(receiver.got[0]?.headers.traceparent).toBe(traceparentOf(delivery as CollectedSpan))
    const alerts = await eventsOfLog(store, { filter: { streamPrefixes: ['makegood.alert-'] } })
    expect(alerts.map(({ metadata }) => traceContextIn(metadata)?.traceparent)).toEqual([
      traceparentOf(publish as CollectedSpan),
    ])
  })

  it('link to the traces that the events were of', async () => {
    const traces = await collector()
    const path = folder()
    const store = await openStore(path)
    await pay(store, 'B1', 3_600_000)
    const watch = new WatchProcess(['--store', path], { ...traces.env, OTEL_BSP_SCHEDULE_DELAY: '50' })
    ends.push(() => watch.end('SIGKILL'))
    await watch.catchUp()
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
    const metadata = { traceparent: `00-${traceId}-${spanId}-01` }
    // Nothing that the projection knows: an alert at once.
    const strange = jsonEvent({ id: randomUUID(), type: 'Strange', data: {}, metadata })
    await store.append('payment-B2', [strange], 'noStream')
    await until(
      () => traces.named('watch.batch').length > 0,
      () => watch.stderr,
    )
    expect(traces.named('watch.batch')[0]?.links?.map((link) => [link.traceId, link.spanId])).toEqual([
      [traceId, spanId],
    ])
  })
})

describe('a trace context in metadata', () => {
  it('is taken only where it is one', () => {
    const of = (value: unknown) => traceContextIn(new TextEncoder().encode(JSON.stringify(value)))
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(of({ traceparent, tracestate: 'a=b' })).toEqual({ traceparent, tracestate: 'a=b' })
    expect(of({ traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` })).toBeUndefined()
    expect(of({ traceparent: 7 })).toBeUndefined()
    expect(of(['"traceparent"'])).toBeUndefined()
    expect(traceContextIn(new TextEncoder().encode('"traceparent" {'))).toBeUndefined()
  })
})
