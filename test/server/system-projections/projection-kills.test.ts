// SIGKILL of `makegood serve --system-projections` under load: every stream that projections write holds exactly its links, once and in order.
// 8 kills; `MAKEGOOD_KILLS=50` for more.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { expect, test } from 'vitest'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { Random } from '../../../src/workload/random.js'
import { seedFor } from '../../controls/seed.js'
import { until } from '../persistent/groups.js'
import { type ServeProcess, startServe, temporaryFolder } from '../serve-process.js'
import { connect } from '../served.js'
import { expectedLinks, logOf, writtenIn } from './expected-links.js'

const KILLS = Number(process.env.MAKEGOOD_KILLS ?? 8)
const LANES = 6
/** Enough for a checkpoint in some of the runs. */
const EVENTS_A_RUN = 1_500

let acknowledged = 0

test(`after ${KILLS} kills each event is linked once and in order`, async () => {
  const random = new Random(seedFor('kills of a server with system projections'))
  const folder = join(temporaryFolder(), 'store')
  const args = ['--insecure', '--system-projections', '--store', folder]
  for (let kill = 0; kill < KILLS; kill++) await appendUntilKilled(await startServe(args), random)
  const last = await startServe(args)
  await untilAllIsRead(connect(last.connectionString))
  expect(await last.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
  const log = await readLog(folder)
  const written = writtenIn(log)
  expect(written).toEqual(expectedLinks(log))
  const links = Object.values(written).flat().length
  const events = log.filter(({ stream }) => !stream.startsWith('$')).length
  const streams = Object.keys(written).length
  process.stdout.write(
    `${KILLS} kills: ${events} events, ${links} links in ${streams} streams, none missing, none doubled\n`,
  )
  expect(events).toBeGreaterThanOrEqual(acknowledged)
}, 600_000)

async function appendUntilKilled(serving: ServeProcess, random: Random): Promise<void> {
  const client = connect(serving.connectionString)
  const before = acknowledged
  const appending = Promise.all(Array.from({ length: LANES }, () => appendForEver(client, random)))
  await until(() => acknowledged > before + EVENTS_A_RUN)
  await sleep(random.between(0, 60))
  expect(await serving.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL', stderr: '' })
  await appending
}

async function appendForEver(client: EventStoreDBClient, random: Random): Promise<void> {
  for (;;) {
    const events = Array.from({ length: random.between(1, 30) }, () =>
      jsonEvent({
        type: `Type${random.between(0, 3)}`,
        data: {},
        metadata: { $correlationId: `flow-${random.between(0, 50)}` },
      }),
    )
    try {
      await client.appendToStream(`cat${random.between(0, 2)}-${random.between(0, 200)}`, events)
    } catch {
      return
    }
    acknowledged += events.length
  }
}

function untilAllIsRead(client: EventStoreDBClient): Promise<void> {
  return until(async () => (await client.listProjections()).every(({ progress }) => progress === 100))
}

async function readLog(folder: string) {
  const store = await openEmbeddedStore({ folder })
  try {
    return await logOf(store)
  } finally {
    await store.close()
  }
}
