// What the official client does, against a server over the memory store. What a real server answers in odd cases is in observed.test.ts.
import {
  type AllStreamSubscription,
  ANY,
  BACKWARDS,
  binaryEvent,
  END,
  eventTypeFilter,
  jsonEvent,
  NO_STREAM,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  type StreamSubscription,
  streamNameFilter,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { collect, serve } from './served.js'

const event = (n: number, type = 'Counted') => jsonEvent({ type, data: { n } })
const numbered = (count: number, type?: string) => Array.from({ length: count }, (_, n) => event(n, type))
/** Credentials make the client use the plain Append call. */
const PLAIN = { credentials: { username: 'any', password: 'body' } }

describe('appending', () => {
  it.each([
    ['in a batch call', {}],
    ['in a call of its own', PLAIN],
  ])('answers with the last revision and position, %s', async (_name, options) => {
    const { client } = await serve()
    const first = await client.appendToStream('counts', numbered(3), { expectedRevision: NO_STREAM, ...options })
    expect(first).toMatchObject({ success: true, nextExpectedRevision: 2n })
    const [last] = await collect(client.readStream('counts', { direction: BACKWARDS, fromRevision: END, maxCount: 1 }))
    expect(last?.event?.position).toEqual(first.position)
  })

  it.each([
    ['in a batch call', {}],
    ['in a call of its own', PLAIN],
  ])('tells what stood there instead of what was expected, %s', async (_name, options) => {
    const { client } = await serve()
    await client.appendToStream('counts', numbered(3))
    const stale = client.appendToStream('counts', event(3), { expectedRevision: 0n, ...options })
    await expect(stale).rejects.toSatisfy(
      (error) =>
        error instanceof WrongExpectedVersionError && error.expectedVersion === 0n && error.actualVersion === 2n,
    )
  })

  it('keeps the order of appends that were sent at once', async () => {
    const { client } = await serve()
    const [first, ...others] = numbered(200)
    await client.appendToStream('counts', first ?? [], { expectedRevision: NO_STREAM })
    await Promise.all(others.map((one, n) => client.appendToStream('counts', one, { expectedRevision: BigInt(n) })))
    const read = await collect(client.readStream('counts'))
    expect(read.map(({ event }) => event?.data)).toEqual(numbered(200).map(({ data }) => data))
  })

  it('takes an append of the largest size and refuses one byte more, as the client is told', async () => {
    const { client } = await serve({ maxAppendBytes: 1000 })
    const ofBytes = (count: number) => binaryEvent({ type: 'Blob', data: Buffer.alloc(count) })
    await client.appendToStream('blobs', ofBytes(1000))
    for (const options of [{}, PLAIN]) {
      const tooLarge = client.appendToStream('blobs', ofBytes(1001), options)
      await expect(tooLarge).rejects.toMatchObject({ type: 'maximum-append-size-exceeded', maxAppendSize: 1000 })
    }
    expect(await collect(client.readStream('blobs'))).toHaveLength(1)
  })
})

describe('reading', () => {
  it('gives a stream forwards, backwards, from a revision and up to a count', async () => {
    const { client } = await serve()
    await client.appendToStream('counts', numbered(10))
    const read = async (options: Parameters<typeof client.readStream>[1]) =>
      (await collect(client.readStream('counts', options))).map(({ event }) => Number(event?.revision))
    expect(await read({})).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await read({ fromRevision: 3n, maxCount: 2 })).toEqual([3, 4])
    expect(await read({ direction: BACKWARDS, fromRevision: END, maxCount: 3 })).toEqual([9, 8, 7])
    expect(await read({ direction: BACKWARDS, fromRevision: 1n })).toEqual([1, 0])
  })

  it('gives back what was appended: ids, types, data, metadata and a time', async () => {
    const { client } = await serve()
    const sent = jsonEvent({
      type: 'Größe',
      data: { text: 'é漢😀', list: [1, null] },
      metadata: { $correlationId: 'c' },
    })
    await client.appendToStream('whole', [sent, binaryEvent({ type: 'Raw', data: Buffer.from([0, 255]) })])
    const { contentType: _sentAs, ...asRead } = sent
    const [json, binary] = await collect(client.readStream('whole'))
    expect(json?.event).toMatchObject({ ...asRead, streamId: 'whole', isJson: true, created: expect.any(Date) })
    expect(Buffer.from(binary?.event?.data as Uint8Array)).toEqual(Buffer.from([0, 255]))
  })

  it('gives more events than fit into any buffer, in order', async () => {
    const { client } = await serve()
    const pad = 'x'.repeat(2_000)
    for (let batch = 0; batch < 20; batch++) {
      await client.appendToStream(
        'many',
        Array.from({ length: 100 }, (_, i) => jsonEvent({ type: 'Padded', data: { n: batch * 100 + i, pad } })),
      )
    }
    const read = await collect(client.readStream('many'))
    expect(read.map(({ event }) => Number(event?.revision))).toEqual(Array.from({ length: 2_000 }, (_, n) => n))
    const all = await collect(client.readAll())
    expect(all.filter(({ event }) => event?.streamId === 'many')).toHaveLength(2_000)
  })

  it('tells a stream that is missing from one that was deleted for ever', async () => {
    const { client } = await serve()
    await expect(collect(client.readStream('nothing'))).rejects.toBeInstanceOf(StreamNotFoundError)
    await client.appendToStream('gone', event(0))
    await client.tombstoneStream('gone')
    await expect(collect(client.readStream('gone'))).rejects.toBeInstanceOf(StreamDeletedError)
    await expect(client.appendToStream('gone', event(1))).rejects.toBeInstanceOf(StreamDeletedError)
  })

  it('takes up a softly deleted stream again at the next append', async () => {
    const { client } = await serve()
    await client.appendToStream('soft', numbered(2))
    await client.deleteStream('soft', { expectedRevision: 1n })
    await expect(collect(client.readStream('soft'))).rejects.toBeInstanceOf(StreamNotFoundError)
    await client.appendToStream('soft', event(2), { expectedRevision: ANY })
    expect((await collect(client.readStream('soft'))).map(({ event }) => event?.revision)).toEqual([2n])
  })
})

describe('metadata', () => {
  it('is kept, and limits what is read', async () => {
    const { client } = await serve()
    await client.appendToStream('limited', numbered(5))
    await client.setStreamMetadata('limited', { maxCount: 2, owner: 'me' })
    expect((await client.getStreamMetadata('limited')).metadata).toEqual({ maxCount: 2, owner: 'me' })
    expect((await collect(client.readStream('limited'))).map(({ event }) => event?.revision)).toEqual([3n, 4n])
  })
})

describe('subscriptions', () => {
  it('give what is there, say so, and go on with what comes', async () => {
    const { client } = await serve()
    await client.appendToStream('live', numbered(2))
    const seen = follow(client.subscribeToStream('live', { fromRevision: START }))
    await seen.until('caughtUp')
    await client.appendToStream('live', event(2))
    await seen.until('2')
    expect(seen.signals).toEqual(['confirmation', '0', '1', 'caughtUp', '2'])
  })

  it.each([
    ['the types of events', () => eventTypeFilter({ prefixes: ['Wanted'] })],
    ['the names of streams', () => streamNameFilter({ prefixes: ['wanted-'] })],
    ['an expression on types', () => eventTypeFilter({ regex: '^W.*d$' })],
    ['an expression on streams', () => streamNameFilter({ regex: 'anted-\\d+$' })],
  ])('filter by %s', async (_name, filter) => {
    const { client } = await serve()
    const seen = follow(client.subscribeToAll({ fromPosition: START, filter: filter() }))
    await client.appendToStream('wanted-1', event(1, 'Wanted'))
    await client.appendToStream('other-1', event(2, 'Other'))
    await seen.until('caughtUp')
    await client.appendToStream('other-1', event(3, 'Other'))
    await client.appendToStream('wanted-2', event(4, 'Wanted'))
    await seen.until('4')
    expect(seen.signals.filter((signal) => /^\d/.test(signal))).toEqual(['1', '4'])
  })

  it('resume after the position of a checkpoint without losing or repeating a match', async () => {
    const { client } = await serve()
    await client.appendToStream('other-1', numbered(100, 'Other'))
    await client.appendToStream('wanted-1', event(1, 'Wanted'))
    const checkpoints: { commit: bigint; prepare: bigint }[] = []
    const filter = streamNameFilter({
      prefixes: ['wanted-'],
      maxSearchWindow: 10,
      checkpointInterval: 1,
      checkpointReached: async (_subscription, position) => void checkpoints.push(position),
    })
    const first = follow(client.subscribeToAll({ filter }))
    await first.until('caughtUp')
    const checkpoint = checkpoints.at(-2)
    if (!checkpoint) throw new Error('No checkpoint was given')
    const second = follow(
      client.subscribeToAll({ fromPosition: checkpoint, filter: streamNameFilter({ prefixes: ['wanted-'] }) }),
    )
    await second.until('caughtUp')
    expect(second.signals).toEqual(['confirmation', '1', 'caughtUp'])
  })
})

/** What a subscription tells, in order: its signals, and of an event its number. */
function follow(subscription: AllStreamSubscription | StreamSubscription) {
  const signals: string[] = []
  let changed: () => void = () => undefined
  const add = (signal: string) => {
    signals.push(signal)
    changed()
  }
  subscription
    .on('confirmation', () => add('confirmation'))
    .on('caughtUp', () => add('caughtUp'))
    .on('data', ({ event }) => add(String((event?.data as { n?: number } | undefined)?.n)))
    .on('error', (error) => add(`error: ${error.message}`))
  onTestFinished(() => subscription.unsubscribe())
  const until = async (signal: string) => {
    while (!signals.includes(signal)) {
      await new Promise<void>((resolve) => {
        changed = resolve
      })
    }
  }
  return { signals, until }
}
