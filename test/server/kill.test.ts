// SIGKILL of `makegood serve` under load: whatever was acknowledged is there, what was in doubt is there whole or not at all, and sending it
// again doubles nothing. 8 kills; `MAKEGOOD_KILLS=50` for more.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client'
import { expect, test } from 'vitest'
import { checkFolder } from '../../src/stores/embedded/check-folder.js'
import { seedFor } from '../controls/seed.js'
import { type ServeProcess, startServe, temporaryFolder } from './serve-process.js'
import { collect, connect } from './served.js'

const KILLS = Number(process.env.MAKEGOOD_KILLS ?? 8)
const LANES = 6
/** Longer than any answer takes; a client that hears nothing must not wait for ever. */
const ANSWER_MS_MAX = 30_000

/** Who appends to one stream: what was acknowledged, and the batch of which it is not known. */
interface Lane {
  readonly stream: string
  /** Half of them use the plain Append call: credentials make the client do so. */
  readonly options: { credentials?: { username: string; password: string } }
  readonly acknowledged: string[]
  inDoubt: string[] | undefined
}

const tally = { acknowledged: 0, inDoubt: 0, written: 0 }

test(`after each of ${KILLS} kills the log is what was acknowledged`, async () => {
  const random = randomFrom(seedFor('kills of a server'))
  const folder = join(temporaryFolder(), 'store')
  const lanes = Array.from({ length: LANES }, (_, n) => laneOf(n))
  for (let kill = 0; kill < KILLS; kill++) {
    const serving = await startServe(['--insecure', '--store', folder])
    await expectLog(connect(serving.connectionString), lanes)
    await appendUntilKilled(serving, lanes, random)
  }
  const last = await startServe(['--insecure', '--store', folder])
  const client = connect(last.connectionString)
  await expectLog(client, lanes)
  for (const lane of lanes) await settle(client, lane)
  for (const lane of lanes) expect(await idsIn(client, lane.stream)).toEqual(lane.acknowledged)
  await last.end('SIGTERM')
  expect(await checkFolder(folder)).toMatchObject({ problems: [] })
  const { acknowledged, inDoubt, written } = tally
  process.stdout.write(
    `${KILLS} kills: ${acknowledged} events acknowledged, all there; ${inDoubt} batches in doubt, of which ${written} were written; none doubled\n`,
  )
  expect(acknowledged).toBeGreaterThan(KILLS * LANES)
}, 600_000)

function laneOf(n: number): Lane {
  const options = n % 2 === 0 ? {} : { credentials: { username: 'any', password: 'body' } }
  return { stream: `killed-${n}`, options, acknowledged: [], inDoubt: undefined }
}

async function appendUntilKilled(serving: ServeProcess, lanes: readonly Lane[], random: () => number): Promise<void> {
  const client = connect(serving.connectionString)
  const before = tally.acknowledged
  const appending = Promise.all(lanes.map((lane) => appendForEver(client, lane, random)))
  let over = false
  const end = () => {
    over = true
  }
  appending.then(end, end)
  while (!over && tally.acknowledged < before + 2 * LANES) await sleep(2)
  await sleep(random() * 40)
  expect(await serving.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL', stderr: '' })
  await appending
}

/** Appends batches one after the other until one is not answered. */
async function appendForEver(client: EventStoreDBClient, lane: Lane, random: () => number): Promise<void> {
  await settle(client, lane)
  while (!lane.inDoubt) {
    lane.inDoubt = Array.from({ length: 1 + Math.floor(random() * 4) }, () => randomUUID())
    try {
      await send(client, lane, lane.inDoubt)
      acknowledge(lane, lane.inDoubt)
    } catch {
      tally.inDoubt += 1
    }
  }
}

/** Sends what is in doubt once more, as it was: a batch that is there is not written again. */
async function settle(client: EventStoreDBClient, lane: Lane): Promise<void> {
  if (!lane.inDoubt) return
  await send(client, lane, lane.inDoubt)
  acknowledge(lane, lane.inDoubt)
}

function acknowledge(lane: Lane, ids: readonly string[]): void {
  lane.acknowledged.push(...ids)
  lane.inDoubt = undefined
  tally.acknowledged += ids.length
}

async function send(client: EventStoreDBClient, lane: Lane, ids: readonly string[]): Promise<void> {
  const head = lane.acknowledged.length - 1
  const expectedRevision = head < 0 ? NO_STREAM : BigInt(head)
  const events = ids.map((id) => jsonEvent({ id, type: 'Batched', data: { size: ids.length } }))
  const appending = client.appendToStream(lane.stream, events, { ...lane.options, expectedRevision })
  const result = await Promise.race([appending, sleep(ANSWER_MS_MAX, undefined, { ref: false })])
  if (!result) throw new Error('no answer')
  expect(result.nextExpectedRevision).toBe(BigInt(head + ids.length))
}

/** The log holds what was acknowledged, then the batch that is in doubt: all of it or nothing. */
async function expectLog(client: EventStoreDBClient, lanes: readonly Lane[]): Promise<void> {
  for (const { stream, acknowledged, inDoubt = [] } of lanes) {
    const found = await idsIn(client, stream)
    const written = found.length > acknowledged.length
    if (written) tally.written += 1
    expect(found).toEqual(written ? [...acknowledged, ...inDoubt] : acknowledged)
  }
}

async function idsIn(client: EventStoreDBClient, stream: string): Promise<string[]> {
  const events = await collect(client.readStream(stream)).catch((error: { type?: string }) => {
    if (error.type === 'stream-not-found') return []
    throw error
  })
  events.forEach(({ event }, n) => void expect(event?.revision).toBe(BigInt(n)))
  return events.map(({ event }) => event?.id ?? '')
}

/** A small generator of numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
