// kill -9 on `watch`, again and again, at any moment and at each step of telling, while bookings come in: counted by id in the alert streams no
// alert is lost and none is there twice; and what is there was printed by one of the processes at least.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { scan } from '../../src/engine/scan.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import type { AlertRecord } from '../../src/watch/alert.js'
import { seedFor } from '../controls/seed.js'
import { issue, pay, WatchProcess } from './watch-process.js'
import { alertRecords, breachesIn, openIn, until } from './watching.js'

const KILLS = Number(process.env.MAKEGOOD_KILLS ?? 6)
const STEPS = ['alerts-written', 'told', 'keys-written', 'saved']

let folder: string
let store: EventStore
const processes: WatchProcess[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'makegood-watch-'))
  store = await openEmbeddedStore({ folder })
  await pay(store, 'first', 600_000)
})

afterEach(async () => {
  for (const one of processes.splice(0)) if (!one.isOver) await one.end('SIGKILL')
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function start(env: Record<string, string> = {}): WatchProcess {
  const args = ['--store', folder, '--lease', '200ms', '--checkpoint-every', '50ms', '--outage', '100000/1m']
  const one = new WatchProcess(args, env)
  processes.push(one)
  return one
}

/** Bookings come in until it is stopped: most are ticketed, some late, some never. */
async function trade(random: () => number, isOver: () => boolean): Promise<number> {
  let bookings = 0
  while (!isOver()) {
    const id = `B${bookings}`
    const number = `125${String(bookings).padStart(10, '0')}`
    bookings += 1
    await pay(store, id, random() * 1_500)
    const fate = random()
    if (fate < 0.5) await issue(store, id, number)
    else if (fate < 0.75) void sleep(random() * 2_000).then(() => issue(store, id, number).catch(() => {}))
    await sleep(random() * 20)
  }
  // Whoever is still to be ticketed late.
  await sleep(2_100)
  return bookings
}

async function expected(): Promise<string[]> {
  const { findings } = await scan(store, booking)
  return findings
    .filter(({ disposition }) => disposition !== 'observe')
    .map(({ id }) => id)
    .sort()
}

async function settle(last: WatchProcess): Promise<AlertRecord[]> {
  await last.catchUp()
  await until(
    async () => {
      const [open, right] = [openIn(await alertRecords(store)), await expected()]
      return open.length === right.length && open.every((id, index) => id === right[index])
    },
    () => `alerts that are what a scan finds; ${last.stderr}`,
  )
  expect(await last.end('SIGINT')).toBe(130)
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

describe('a watch that is killed again and again', () => {
  it(`${KILLS} times at any moment loses no alert, and none is there twice`, async () => {
    const random = drawFrom(seedFor('kill -9 on watch'))
    let isOver = false
    const trading = trade(random, () => isOver)
    try {
      for (let kill = 0; kill < KILLS; kill += 1) {
        const victim = start()
        await sleep(300 + random() * 1_500)
        expect(await victim.end('SIGKILL')).toBeNull()
      }
    } finally {
      isOver = true
    }
    const bookings = await trading
    const records = await settle(start())
    const opened = records.filter(({ change }) => change === 'opened')
    const tellers = processes.filter(({ told }) => told.length > 0).length
    process.stdout.write(
      `kill -9 on watch: ${KILLS} kills, ${bookings} bookings, ${opened.length} alerts opened, ` +
        `${records.length - opened.length} resolved, told by ${tellers} processes\n`,
    )
    expect(openedTwice(records)).toEqual([])
    expect(breachesIn(records)).toEqual([])
    expect(untold(records)).toEqual([])
    expect(opened.length).toBeGreaterThan(0)
  })

  it('at each step of telling loses no alert, and none is there twice', async () => {
    for (const [index, step] of STEPS.entries()) {
      for (const id of ['a', 'b', 'c']) await pay(store, `${step}-${id}`, 0)
      if (index > 0) await issue(store, `${STEPS[index - 1]}-a`, `125000000000${index}`)
      const victim = start({ MAKEGOOD_FAILPOINT: step })
      await victim.says(`failpoint ${step}`)
      await victim.end('SIGKILL')
    }
    const records = await settle(start())
    expect(records.map(({ change }) => change).filter((change) => change === 'opened')).toHaveLength(3 * STEPS.length)
    expect(openedTwice(records)).toEqual([])
    expect(breachesIn(records)).toEqual([])
    expect(untold(records)).toEqual([])
  })
})

/** Tommy Ettinger's mulberry32. */
function drawFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
