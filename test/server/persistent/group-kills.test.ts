// SIGKILL of `makegood serve` while a group is consumed: whatever nobody answered for comes again, until all is acknowledged or parked.
// 3 kills of each kind of group; `MAKEGOOD_KILLS=20` for more.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type EventStoreDBClient,
  jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  START,
  streamNameFilter,
} from '@eventstore/db-client'
import { expect, test } from 'vitest'
import { Random } from '../../../src/workload/random.js'
import { seedFor } from '../../controls/seed.js'
import { type ServeProcess, startServe, temporaryFolder } from '../serve-process.js'
import { collect, connect } from '../served.js'
import { type Consumer, consume, createGroup, type Decision, until } from './groups.js'

const KILLS = Number(process.env.MAKEGOOD_KILLS ?? 3)
const CONSUMERS = 3
/** A forgotten event keeps checkpoints back until it comes again. */
const FORGOTTEN_MAX = 8

/** What the consumers know, beside the servers that are killed. */
class Books {
  readonly #random: Random
  readonly appended = new Set<number>()
  readonly acked = new Set<number>()
  readonly parked = new Set<number>()
  next = 0
  given = 0
  givenAgain = 0
  /** Of this run. */
  forgotten = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Mostly an event is dealt with at once; some are parked, and some forgotten. */
  decide(n: number): Decision {
    this.given += 1
    if (this.acked.has(n) || this.parked.has(n)) this.givenAgain += 1
    if (this.forgotten < FORGOTTEN_MAX && this.#random.chance(0.005)) {
      this.forgotten += 1
      return 'nothing'
    }
    if (this.#random.chance(0.005)) {
      this.parked.add(n)
      return 'park'
    }
    this.acked.add(n)
    return 'ack'
  }
}

test.each(['orders', '$all'])(
  `over ${KILLS} kills no event of a group over %s is lost`,
  async (source) => {
    const random = new Random(seedFor(`kills of a server with a group over ${source}`))
    const books = new Books(random)
    const args = ['--insecure', '--store', join(temporaryFolder(), 'store')]
    for (let kill = 0; kill < KILLS; kill++) {
      const serving = await startServe(args)
      await workUntilKilled(serving, source, books, random)
    }
    const last = await startServe(args)
    const client = connect(last.connectionString)
    const open = await consumeRest(client, source, books)
    expect(open, 'events that nobody acknowledged or parked and that did not come again').toEqual([])
    process.stdout.write(
      `${KILLS} kills: ${books.appended.size} events, none lost; ${books.given} given, ${books.givenAgain} of them again after an answer\n`,
    )
    expect(books.appended.size).toBeGreaterThan(KILLS * 50)
    expect((await last.end('SIGTERM')).code).toBe(0)
  },
  600_000,
)

async function workUntilKilled(serving: ServeProcess, source: string, books: Books, random: Random): Promise<void> {
  books.forgotten = 0
  const client = connect(serving.connectionString)
  const settings = { checkPointUpperBound: 20, checkPointLowerBound: 1, checkPointAfter: 50, messageTimeout: 400 }
  if (books.next === 0) await create(client, source, settings)
  const consumers = Array.from({ length: CONSUMERS }, () => consumeAll(serving, source, books))
  const appending = appendForEver(client, books)
  const before = books.acked.size
  await until(() => books.acked.size > before + 100)
  await sleep(random.between(0, 60))
  await serving.end('SIGKILL')
  await appending
  await until(() => consumers.every(({ errors }) => errors.length > 0))
}

/** A group over the one stream that there is, or over the log, where it wants that stream only. */
async function create(client: EventStoreDBClient, source: string, settings: object): Promise<void> {
  if (source !== '$all') return createGroup(client, source, settings)
  const whole = persistentSubscriptionToAllSettingsFromDefaults({ startFrom: START, ...settings })
  const filter = streamNameFilter({ prefixes: ['orders'] })
  await client.createPersistentSubscriptionToAll('clerks', whole, { filter })
}

function consumeAll({ connectionString }: ServeProcess, source: string, books: Books): Consumer {
  return consume(connect(connectionString), source, { bufferSize: 20, decide: (n) => books.decide(n) })
}

/** Appends numbers until that fails. What is in doubt is not counted. */
async function appendForEver(client: EventStoreDBClient, books: Books): Promise<void> {
  for (;;) {
    const numbers = Array.from({ length: 5 }, () => books.next++)
    try {
      await client.appendToStream(
        'orders',
        numbers.map((n) => jsonEvent({ type: 'Counted', data: { n } })),
      )
    } catch {
      return
    }
    for (const n of numbers) books.appended.add(n)
  }
}

/** Acknowledges all that still comes, parked events last. Gives what is neither acknowledged nor was parked. */
async function consumeRest(client: EventStoreDBClient, source: string, books: Books): Promise<number[]> {
  const links = await collect(
    client.readStream(`$persistentsubscription-${source}::clerks-parked`, { resolveLinkTos: true }),
  ).catch(() => [])
  const inStream = new Set(links.map(({ event }) => (event?.data as { n: number } | undefined)?.n ?? -1))
  const acked = new Set<number>()
  const { got } = consume(client, source, {
    decide: (n) => {
      acked.add(n)
      return 'ack'
    },
  })
  const open = () => [...books.appended].filter((n) => !books.acked.has(n) && !inStream.has(n) && !acked.has(n))
  await until(() => open().length === 0).catch(() => undefined)
  await (source === '$all'
    ? client.replayParkedMessagesToAll('clerks')
    : client.replayParkedMessagesToStream(source, 'clerks'))
  await until(() => [...inStream].every((n) => acked.has(n)))
  expect(got.length).toBeGreaterThan(0)
  return open()
}
