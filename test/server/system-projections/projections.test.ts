// System projections as users of the official client meet them: streams to read and follow, and the projections themselves to look at and change.
import { randomUUID } from 'node:crypto'
import {
  type EventStoreDBClient,
  jsonEvent,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
} from '@eventstore/db-client'
import { describe, expect, it } from 'vitest'
import { NO_BYTES } from '../../../src/log/event.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { until } from '../persistent/groups.js'
import { collect, type Served, serve } from '../served.js'
import { expectedLinks, logOf, writtenIn } from './expected-links.js'

const NAMES = ['$by_category', '$by_correlation_id', '$by_event_type', '$stream_by_category', '$streams']

function serveProjections(options: Parameters<typeof serve>[0] = {}): Promise<Served> {
  return serve({ systemProjections: true, ...options })
}

async function append(client: EventStoreDBClient, stream: string, ...types: string[]): Promise<void> {
  await client.appendToStream(
    stream,
    types.map((type) => jsonEvent({ type, data: { of: stream } })),
  )
}

/** `2@stream` of each event that a stream leads to, `-` where it leads nowhere. */
async function resolvedIn(client: EventStoreDBClient, stream: string): Promise<string[]> {
  const events = await collect(client.readStream(stream, { resolveLinkTos: true }))
  return events.map(({ event }) => (event ? `${event.revision}@${event.streamId}` : '-'))
}

/** The links themselves. */
async function linksIn(client: EventStoreDBClient, stream: string): Promise<string[]> {
  const links = await collect(client.readStream(stream))
  return links.map(({ event }) => Buffer.from(event?.data as Uint8Array).toString())
}

function link(target: string) {
  const data = Buffer.from(target)
  return { id: randomUUID(), type: '$>', contentType: 'application/octet-stream' as const, data, metadata: NO_BYTES }
}

async function untilAllIsRead(client: EventStoreDBClient): Promise<void> {
  await until(async () => (await client.listProjections()).every(({ progress }) => progress === 100))
}

describe('streams that are written', () => {
  it('a category is read with the events that it leads to', async () => {
    const { client } = await serveProjections()
    await append(client, 'payment-1', 'PaymentCaptured', 'PaymentRefunded')
    await append(client, 'payment-2', 'PaymentCaptured')
    await untilAllIsRead(client)
    const events = await collect(client.readStream('$ce-payment', { resolveLinkTos: true }))
    expect(events.map(({ event, link }) => [event?.data, link?.streamId, link?.revision])).toEqual([
      [{ of: 'payment-1' }, '$ce-payment', 0n],
      [{ of: 'payment-1' }, '$ce-payment', 1n],
      [{ of: 'payment-2' }, '$ce-payment', 2n],
    ])
    expect(await resolvedIn(client, '$et-PaymentCaptured')).toEqual(['0@payment-1', '0@payment-2'])
  })

  it('a subscriber to a category is given what comes, in order', async () => {
    const { client } = await serveProjections()
    const got: unknown[] = []
    const subscription = client.subscribeToStream('$ce-payment', { resolveLinkTos: true })
    subscription.on('data', ({ event }) => got.push(`${event?.revision}@${event?.streamId}`))
    for (let n = 0; n < 20; n++) await append(client, `payment-${n % 3}`, 'PaymentCaptured')
    await until(() => got.length === 20)
    expect(got).toEqual(Array.from({ length: 20 }, (_, n) => `${Math.floor(n / 3)}@payment-${n % 3}`))
    await subscription.unsubscribe()
  })

  it('a group shares the events of a category among its consumers', async () => {
    const { client } = await serveProjections()
    const settings = persistentSubscriptionToStreamSettingsFromDefaults({ resolveLinkTos: true, startFrom: START })
    await client.createPersistentSubscriptionToStream('$ce-payment', 'clerks', settings)
    const got: unknown[] = []
    const subscription = client.subscribeToPersistentSubscriptionToStream('$ce-payment', 'clerks')
    subscription.on('data', (resolved) => {
      got.push(resolved.event?.streamId)
      void subscription.ack(resolved)
    })
    await append(client, 'payment-1', 'PaymentCaptured')
    await append(client, 'payment-2', 'PaymentCaptured')
    await until(() => got.length === 2)
    expect(got).toEqual(['payment-1', 'payment-2'])
    await subscription.unsubscribe()
  })

  it('hold what was in the store before', async () => {
    const store = openMemoryStore()
    const before = await serve({ store })
    await append(before.client, 'payment-1', 'PaymentCaptured')
    await before.stop()
    const { client } = await serveProjections({ store })
    await untilAllIsRead(client)
    expect(await resolvedIn(client, '$ce-payment')).toEqual(['0@payment-1'])
  })

  it('are not written unless that is asked for', async () => {
    const { client, store } = await serve()
    await append(client, 'payment-1', 'PaymentCaptured')
    await expect(client.listProjections()).rejects.toMatchObject({
      code: 12,
      message: expect.stringContaining('This server runs no projections: start it with --system-projections'),
    })
    expect(writtenIn(await logOf(store))).toEqual({})
  })

  it('lead nowhere from names that are hostile, and harm nothing', async () => {
    const { client, store } = await serveProjections()
    const names = ['-dash', 'a-', 'with@sign-1', '5@a-1', 'ein-ü', '__proto__-1', 'constructor', `${'x'.repeat(900)}-1`]
    for (const name of names) await append(client, name, 'A@b', '__proto__')
    const metadata = { $correlationId: '","$causedBy":"00000000-0000-0000-0000-000000000000' }
    await client.appendToStream('odd-1', [
      jsonEvent({ type: 'Odd', data: {}, metadata }),
      jsonEvent({ type: 'Odd', data: {}, metadata: { $correlationId: { no: 'id' } } }),
      jsonEvent({ type: 'Odd', data: {}, metadata: { $correlationId: 7 } }),
      jsonEvent({ type: 'Odd', data: {}, metadata: { $correlationId: null } }),
      jsonEvent({ type: 'Odd', data: {}, metadata: { $correlationId: 'half \ud800' } }),
      jsonEvent({ type: 'Odd', data: {}, metadata: { $correlationId: 'nul \0' } }),
    ])
    await untilAllIsRead(client)
    expect((await client.listProjections()).map(({ status }) => status)).toEqual(NAMES.map(() => 'Running'))
    expect(await resolvedIn(client, '$ce-with@sign')).toEqual(['0@with@sign-1', '1@with@sign-1'])
    expect(await resolvedIn(client, '$ce-__proto__')).toEqual(['0@__proto__-1', '1@__proto__-1'])
    expect(await resolvedIn(client, `$bc-${metadata.$correlationId}`)).toEqual(['0@odd-1'])
    expect(await resolvedIn(client, '$bc-7')).toEqual(['2@odd-1'])
    const written = writtenIn(await logOf(store))
    expect(written['$bc-half \ufffd']).toEqual(['4@odd-1'])
    expect(written['$bc-nul \0']).toEqual(['5@odd-1'])
    expect(Object.keys(written).filter((stream) => stream.startsWith('$bc-'))).toHaveLength(4)
    expect(written['$category-ein']).toEqual(['ein-ü'])
    expect(written['$ce-']).toBeUndefined()
    await append(client, '5@a-1', 'Later')
    await untilAllIsRead(client)
    expect(await resolvedIn(client, '$ce-5@a')).toEqual(['0@5@a-1', '1@5@a-1', '2@5@a-1'])
  })

  it('go on behind a link to a link, and behind one that leads nowhere', async () => {
    const { client, store } = await serveProjections()
    await append(client, 'source-1', 'Happened')
    await store.append('inner-1', [link('0@source-1')], 'any')
    await store.append('outer-1', [link('0@inner-1'), link('9@missing'), link('no link')], 'any')
    await untilAllIsRead(client)
    expect(await linksIn(client, '$ce-outer')).toEqual(['0@source-1', '9@missing', 'no link'])
    expect(await linksIn(client, '$streams')).toEqual(['0@source-1', '0@inner-1', '0@outer-1'])
  })

  it('tell the end of a stream', async () => {
    const { client } = await serveProjections()
    await append(client, 'payment-1', 'PaymentCaptured')
    await client.setStreamMetadata('payment-1', { maxCount: 9 })
    await client.deleteStream('payment-1')
    await client.tombstoneStream('payment-1')
    await untilAllIsRead(client)
    expect(await linksIn(client, '$et-$metadata')).toEqual(['0@payment-1'])
    expect(await linksIn(client, '$et-$deleted')).toEqual(['1@payment-1', '9223372036854775807@payment-1'])
    expect(await linksIn(client, '$ce-payment')).toEqual([
      '0@payment-1',
      '1@$$payment-1',
      '9223372036854775807@payment-1',
    ])
  })
})

describe('the projections', () => {
  it('tell how they stand', async () => {
    const { client } = await serveProjections()
    await append(client, 'payment-1', 'PaymentCaptured', 'PaymentRefunded')
    await untilAllIsRead(client)
    const all = await client.listProjections()
    expect(all.map(({ name }) => name)).toEqual(NAMES)
    const byCategory = await client.getProjectionStatus('$by_category')
    expect(byCategory).toMatchObject({ status: 'Running', version: 1n, epoch: -1n, stateReason: '', progress: 100 })
    expect(byCategory.eventsProcessedAfterRestart).toBe(2n)
    expect(byCategory.position).toMatch(/^C:[1-9]\d*\/P:[1-9]\d*$/)
    expect(await client.getProjectionState('$streams')).toEqual({})
    expect(await client.getProjectionResult('$streams')).toEqual({})
  })

  it.each(['disable', 'abort'] as const)('that somebody %ss write nothing until they are enabled', async (way) => {
    const served = await serveProjections()
    const { client, store } = served
    await append(client, 'payment-1', 'PaymentCaptured')
    await untilAllIsRead(client)
    await (way === 'disable' ? client.disableProjection('$by_category') : client.abortProjection('$by_category'))
    expect(await client.getProjectionStatus('$by_category')).toMatchObject({
      status: way === 'disable' ? 'Stopped' : 'Aborted/Stopped',
    })
    await append(client, 'payment-2', 'PaymentCaptured')
    await until(async () => (await resolvedIn(client, '$et-PaymentCaptured')).length === 2)
    expect(await resolvedIn(client, '$ce-payment')).toEqual(['0@payment-1'])
    await served.stop()
    const again = (await serveProjections({ store })).client
    expect(await again.getProjectionStatus('$by_category')).toMatchObject({ status: 'Stopped' })
    await again.enableProjection('$by_category')
    await untilAllIsRead(again)
    expect(await resolvedIn(again, '$ce-payment')).toEqual(['0@payment-1', '0@payment-2'])
  })

  it('that are reset write their streams anew', async () => {
    const served = await serveProjections()
    const { client, store } = served
    await append(client, 'payment-1', 'PaymentCaptured', 'PaymentRefunded')
    await untilAllIsRead(client)
    await client.resetProjection('$by_category')
    await append(client, 'payment-2', 'PaymentCaptured')
    await untilAllIsRead(client)
    const links = await collect(client.readStream('$ce-payment'))
    expect(links.map(({ event }) => event?.revision)).toEqual([2n, 3n, 4n])
    expect(await resolvedIn(client, '$ce-payment')).toEqual(['0@payment-1', '1@payment-1', '0@payment-2'])
    expect(await client.getProjectionStatus('$by_category')).toMatchObject({ version: 2n, epoch: 2n })
    await served.stop()
    const again = (await serveProjections({ store })).client
    await untilAllIsRead(again)
    expect(await resolvedIn(again, '$ce-payment')).toEqual(['0@payment-1', '1@payment-1', '0@payment-2'])
  })

  it('go on after their subsystem was restarted', async () => {
    const { client, store } = await serveProjections()
    for (let n = 0; n < 5; n++) {
      await append(client, `payment-${n}`, 'PaymentCaptured')
      await client.restartSubsystem()
    }
    await untilAllIsRead(client)
    const log = await logOf(store)
    expect(writtenIn(log)).toEqual(expectedLinks(log))
  })

  it.each([
    ['create', (client: EventStoreDBClient) => client.createProjection('mine', 'fromAll()'), 'Projections.Create'],
    ['update', (client: EventStoreDBClient) => client.updateProjection('$streams', 'x'), 'Projections.Update'],
    ['delete', (client: EventStoreDBClient) => client.deleteProjection('$streams'), 'Projections.Delete'],
  ])('refuse by name to %s one', async (_name, call, method) => {
    const { client } = await serveProjections()
    const message = expect.stringContaining(`${method} is not supported: this server`)
    await expect(call(client)).rejects.toMatchObject({ code: 12, message })
  })

  it.each(['enable', 'disable', 'abort', 'reset'] as const)('say so where %s names none of them', async (way) => {
    const { client } = await serveProjections()
    const calling = client[`${way}Projection`]('mine')
    await expect(calling).rejects.toMatchObject({ type: 'not-found', code: 5 })
  })
})

describe('a projection that cannot go on', () => {
  it('says that its stream was written by somebody else, and goes on when that was put right', async () => {
    const { client } = await serveProjections()
    await append(client, '$ce-payment', 'Mine')
    await append(client, 'payment-1', 'PaymentCaptured')
    const status = () => client.getProjectionStatus('$by_category')
    await until(async () => (await status()).status === 'Faulted (Enabled)')
    expect((await status()).stateReason).toBe(
      "The '$ce-payment' stream managed by projection 3 has been written to from the outside.",
    )
    expect(await resolvedIn(client, '$et-PaymentCaptured')).toEqual(['0@payment-1'])
    await client.deleteStream('$ce-payment')
    await client.enableProjection('$by_category')
    await untilAllIsRead(client)
    expect(await resolvedIn(client, '$ce-payment')).toEqual(['0@payment-1'])
    expect(await status()).toMatchObject({ status: 'Running', stateReason: '' })
  })

  it('notices that another wrote to its stream while it ran', async () => {
    const { client } = await serveProjections()
    await append(client, 'payment-1', 'PaymentCaptured')
    await untilAllIsRead(client)
    await append(client, '$ce-payment', 'Mine')
    await append(client, 'payment-1', 'PaymentCaptured')
    await until(async () => (await client.getProjectionStatus('$by_category')).status === 'Faulted (Enabled)')
  })

  it('says that its stream is gone for good', async () => {
    const { client } = await serveProjections()
    await append(client, 'payment-1', 'PaymentCaptured')
    await untilAllIsRead(client)
    await client.tombstoneStream('$ce-payment')
    await append(client, 'payment-1', 'PaymentCaptured')
    const status = () => client.getProjectionStatus('$by_category')
    await until(async () => (await status()).status === 'Faulted (Enabled)')
    expect((await status()).stateReason).toBe('Stream : $ce-payment is deleted. Cannot emit events to it')
  })
})
