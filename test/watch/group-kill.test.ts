// kill -9 on the processes of a group, one after the other and at each step of their work, while bookings come in through a server: counted by id in
// the alert streams no alert is lost and none is there twice, and what is there was printed by one of the processes at least.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { scan } from '../../src/engine/scan.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openEventStoreDbStore } from '../../src/stores/eventstoredb/eventstoredb-store.js'
import type { AlertRecord } from '../../src/watch/alert.js'
import { Random } from '../../src/workload/random.js'
import { seedFor } from '../controls/seed.js'
import { type ServeProcess, startServe, temporaryFolder } from '../server/serve-process.js'
import { issue, pay, WatchProcess } from './watch-process.js'
import { alertRecords, breachesIn, openIn, until } from './watching.js'

const KILLS = Number(process.env.MAKEGOOD_KILLS ?? 3)
const MEMBERS = 3
const STEPS = ['noted', 'acknowledged', 'alerts-written', 'saved']

let server: ServeProcess
let folder: string
let store: EventStore
const processes: WatchProcess[] = []

beforeEach(async () => {
  folder = temporaryFolder()
  server = await startServe(['--store', folder, '--insecure'])
  store = await openEventStoreDbStore({ connectionString: server.connectionString })
  await pay(store, 'first', 600_000)
})

afterEach(async () => {
  for (const one of processes.splice(0)) if (!one.isOver) await one.end('SIGKILL')
  await store.close()
})

function start(env: Record<string, string> = {}): WatchProcess {
  const times = ['--lease', '300ms', '--checkpoint-every', '50ms', '--outage', '100000/1m']
  const one = new WatchProcess(['--store', server.connectionString, '--group', 'ops', ...times], env)
  processes.push(one)
  return one
}

/** Bookings come in until it is stopped: most are ticketed, some late, some never. */
async function trade(random: Random, isOver: () => boolean): Promise<number> {
  let bookings = 0
  const late: Promise<unknown>[] = []
  while (!isOver()) {
    const id = `B${bookings}`
    const number = `125${String(bookings).padStart(10, '0')}`
    bookings += 1
    await pay(store, id, random.between(0, 2_000))
    const fate = random.fraction()
    if (fate < 0.5) await issue(store, id, number)
    else if (fate < 0.75) late.push(sleep(random.between(0, 2_500)).then(() => issue(store, id, number)))
    await sleep(random.between(0, 20))
  }
  await Promise.all(late)
  return bookings
}

async function expected(): Promise<string[]> {
  const { findings } = await scan(store, booking)
  return findings
    .filter(({ disposition }) => disposition !== 'observe')
    .map(({ id }) => id)
    .sort()
}

/** Waits until the alert streams say what a scan finds, with every deadline over, and ends all who still live. */
async function settle(): Promise<AlertRecord[]> {
  await sleep(2_100)
  await until(
    async () => openIn(await alertRecords(store)).join() === (await expected()).join(),
    () => `alerts that are what a scan finds; ${processes.map(({ stderr }) => stderr.slice(-500)).join('\n')}`,
  )
  for (const one of processes) if (!one.isOver) expect(await one.end('SIGINT')).toBe(130)
  return alertRecords(store)
}

function untold(records: readonly AlertRecord[]): string[] {
  const told = new Set(processes.flatMap((one) => one.told.map(({ id, change }) => `${change} ${id}`)))
  return records.map(({ id, change }) => `${change} ${id}`).filter((line) => !told.has(line))
}

function openedTwice(records: readonly AlertRecord[]): string[] {
  const opened = records.filter(({ change }) => change === 'opened').map(({ id }) => id)
  return opened.filter((id, index) => opened.indexOf(id) !== index)
}

function expectExact(records: readonly AlertRecord[]): void {
  expect(openedTwice(records)).toEqual([])
  expect(breachesIn(records)).toEqual([])
  expect(untold(records)).toEqual([])
}

describe('a group whose processes are killed', () => {
  it(`${KILLS} times, one of ${MEMBERS}, at any moment, loses no alert, and none is there twice`, async () => {
    const random = new Random(seedFor('kill -9 on a group of watches'))
    let isOver = false
    const trading = trade(random, () => isOver)
    try {
      for (let member = 0; member < MEMBERS; member += 1) start()
      for (const one of processes) await one.says('"msg":"joined"')
      for (let kill = 0; kill < KILLS; kill += 1) {
        await sleep(random.between(200, 1_200))
        const living = processes.filter((one) => !one.isOver)
        await living[random.between(0, living.length - 1)]?.end('SIGKILL')
        await start().says('"msg":"joined"')
      }
    } finally {
      isOver = true
    }
    const bookings = await trading
    const records = await settle()
    const opened = records.filter(({ change }) => change === 'opened')
    const tellers = processes.filter(({ told }) => told.length > 0).length
    process.stdout.write(
      `kill -9 on a group: ${KILLS} kills, ${bookings} bookings, ${opened.length} alerts opened, ` +
        `${records.length - opened.length} resolved, told by ${tellers} processes\n`,
    )
    expectExact(records)
    expect(opened.length).toBeGreaterThan(0)
  }, 120_000)

  it('at each step of their work loses no alert, and none is there twice', async () => {
    for (const step of STEPS) {
      for (const id of ['a', 'b', 'c']) await pay(store, `${step}-${id}`, 0)
      const victim = start({ MAKEGOOD_FAILPOINT: step })
      await victim.says(`failpoint ${step}`)
      await victim.end('SIGKILL')
    }
    start()
    const records = await settle()
    expectExact(records)
    expect(records.map(({ change }) => change)).toEqual(Array(3 * STEPS.length).fill('opened'))
  }, 120_000)

  it('takes over a deadline of a booking whose consumer and keeper is gone', async () => {
    const first = start()
    await first.catchUp()
    await pay(store, 'B1', 3_000)
    await until(
      async () => (await store.readStream('makegood.checkpoint-group.ops')).kind === 'found',
      () => `a checkpoint; ${first.stderr}`,
    )
    await first.end('SIGKILL')
    const second = start()
    await until(
      () => second.told.some(({ change, subject }) => change === 'opened' && subject === 'B1'),
      () => second.stderr,
    )
    expectExact(await settle())
  })

  it('goes on after the server was killed, and has lost nothing', async () => {
    for (let member = 0; member < 2; member += 1) await start().says('"msg":"joined"')
    for (const id of ['a', 'b', 'c']) await pay(store, id, 4_000)
    await server.end('SIGKILL')
    server = await startServe(['--store', folder, '--insecure', '--port', String(server.port)])
    for (const id of ['d', 'e', 'f']) await pay(store, id, 0)
    await sleep(2_000)
    const records = await settle()
    expectExact(records)
    expect(new Set(records.map(({ subject }) => subject))).toEqual(new Set(['a', 'b', 'c', 'd', 'e', 'f']))
  })

  it('stops in good order after Ctrl-C, and another keeps the alerts at once', async () => {
    const [first, second] = [start(), start()]
    for (const one of [first, second]) await one.says('"msg":"joined"')
    await until(() => [first, second].some(({ stderr }) => stderr.includes('"state":"live"')), 'a keeper')
    const keeper = [first, second].find(({ stderr }) => stderr.includes('"state":"live"')) as WatchProcess
    const other = keeper === first ? second : first
    expect(other.stderr).toContain('keeps the alerts of group ops: working as one of its consumers')
    expect(await keeper.end('SIGINT')).toBe(130)
    await other.catchUp()
    await pay(store, 'B1', 0)
    await until(() => other.told.length === 1, 'an alert')
    expect(await other.end('SIGTERM')).toBe(0)
  })
})
