// SIGKILL of the server and of consumers, while events come in through the adapter: every event is dealt with by somebody, at least once.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ALL_EVENTS } from '../../../src/log/consumer-group.js'
import { Random } from '../../../src/workload/random.js'
import { anEvent } from '../../controls/events.js'
import { seedFor } from '../../controls/seed.js'
import { type ServeProcess, startServe, temporaryFolder } from '../../server/serve-process.js'
import { groups, SETTINGS } from './consumers.js'
import { open } from './opened.js'

const KILLS = Number(process.env.MAKEGOOD_KILLS ?? 3)
const CONSUMERS = 2
const OF_ALL = { source: ALL_EVENTS, group: 'clerks' }
const PROGRAM = join(import.meta.dirname, 'consuming-process.mjs')

/** Ids that some consumer dealt with. */
const dealtWith = new Set<string>()
let again = 0

function startConsumer(connectionString: string): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, connectionString, OF_ALL.source, OF_ALL.group], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (text + chunk.toString()).split('\n')
    text = lines.pop() ?? ''
    for (const id of lines) {
      if (dealtWith.has(id)) again += 1
      dealtWith.add(id)
    }
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

test(`over ${KILLS} kills of the server and as many of consumers no event is lost`, async () => {
  const random = new Random(seedFor('kills of a server and of consumers of a group'))
  const folder = temporaryFolder()
  let server: ServeProcess = await startServe(['--store', folder, '--insecure'])
  const { connectionString, port } = server
  const store = await open(connectionString, { outageMsMax: 30_000 })
  await groups(store).create(OF_ALL, { ...SETTINGS, messageTimeoutMs: 5_000, filter: { streamPrefixes: ['orders-'] } })
  const consumers = Array.from({ length: CONSUMERS }, () => startConsumer(connectionString))
  const written = new Set<string>()
  let isOver = false
  const writing = (async () => {
    while (!isOver) {
      const event = anEvent()
      // What is not known to be written may be there or not; only what is known counts.
      const result = await store.append(`orders-${written.size % 7}`, [event], 'any').catch(() => undefined)
      if (result?.kind === 'appended') written.add(event.id)
    }
  })()
  for (let kill = 0; kill < KILLS; kill += 1) {
    await sleep(random.between(200, 800))
    await server.end('SIGKILL')
    server = await startServe(['--store', folder, '--insecure', '--port', String(port)])
    await sleep(random.between(200, 800))
    const victim = consumers.shift()
    const isDead = !victim || victim.exitCode !== null || victim.signalCode !== null
    if (!isDead) {
      const closed = once(victim, 'close')
      victim.kill('SIGKILL')
      await closed
    }
    consumers.push(startConsumer(connectionString))
  }
  isOver = true
  await writing
  await expect.poll(() => [...written].filter((id) => !dealtWith.has(id)), { timeout: 40_000 }).toEqual([])
  process.stdout.write(
    `${KILLS} kills of each: ${written.size} events, ${again} given again after they were dealt with\n`,
  )
  expect(written.size).toBeGreaterThan(0)
}, 120_000)
