// Alerts while the log is written: how long after its deadline each one comes out of a watch in another process, and what the watch
// itself needs of the processor.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FORGOTTEN_EVERY, GRACE_MS } from './live-orders.mjs'
import { processorMsOf } from './measure.mjs'

const PROJECTION = fileURLToPath(new URL('live-orders.mjs', import.meta.url))
const WRITER = fileURLToPath(new URL('live-writer.mjs', import.meta.url))
const PATIENCE_MS = 60_000

/** Delays in milliseconds, sorted, one an alert; `cpuMs`: of the watch while the log was written, which took `ms`. */
export async function measureAlerts({ main, where, run, perSecond, seconds, webhook }) {
  // A store is there only once something is in it.
  await writeLog([where, perSecond, 1, 'before'])
  const watch = startWatch([main, 'watch', '--store', where, ...(webhook ? ['--webhook', webhook] : [])])
  const [toldAt, deadlines] = [new Map(), new Map()]
  createInterface({ input: watch.stdout }).on('line', (line) => {
    const { subject, change, since } = JSON.parse(line)
    if (change !== 'opened' || !isForgotten(subject, run)) return
    toldAt.set(subject, Date.now())
    deadlines.set(subject, Date.parse(since) + GRACE_MS)
  })
  try {
    await untilReady(watch)
    const cpuBefore = processorMsOf(watch.pid)
    const { takenAt, ms } = await writeLog([where, perSecond, seconds, run])
    const cpuMs = processorMsOf(watch.pid) - cpuBefore
    const forgotten = Object.keys(takenAt)
    for (let waited = 0; toldAt.size < forgotten.length && waited < PATIENCE_MS; waited += 100) await sleep(100)
    if (toldAt.size !== forgotten.length)
      throw new Error(`${forgotten.length} orders were not sent, ${toldAt.size} alerts came`)
    // What a busy disk has taken only after its deadline could not be told of before.
    const delays = forgotten.map((order) => toldAt.get(order) - Math.max(deadlines.get(order), takenAt[order]))
    return { delays: delays.sort((a, b) => a - b), cpuMs, ms }
  } finally {
    watch.kill('SIGTERM')
    if (watch.exitCode === null) await once(watch, 'exit')
  }
}

/** On a busy disk orders may be sent too late: their alerts are right too, and not what is measured. */
function isForgotten(subject, run) {
  return subject?.startsWith(run) && Number(subject.slice(run.length)) % FORGOTTEN_EVERY === 0
}

/** Each finding speaks for itself: one outage would be told to a webhook in one line. */
function startWatch(command) {
  const options = ['--projection', PROJECTION, '--outage', '1000000/10m', '--format', 'ndjson', '--metrics-port', '0']
  return spawn(process.execPath, [...command, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function untilReady(watch) {
  const endpoint = await endpointOf(watch)
  for (let waited = 0; waited < PATIENCE_MS; waited += 100) {
    const answer = await fetch(new URL('/health/ready', endpoint))
    if (answer.ok) return
    await sleep(100)
  }
  throw new Error('the watch does not come to the end of the log')
}

async function endpointOf({ stderr }) {
  let told = ''
  for await (const chunk of stderr.iterator({ destroyOnReturn: false })) {
    told += chunk
    const [found] = /http:\/\/\S+/.exec(told) ?? []
    if (found) {
      stderr.resume()
      return found
    }
  }
  throw new Error(`watch ended before it began: ${told}`)
}

async function writeLog(args) {
  const writer = spawn(process.execPath, [WRITER, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  writer.stdout.on('data', (chunk) => {
    text += chunk
  })
  const [code] = await once(writer, 'close')
  if (code !== 0) throw new Error(`the load ended with ${code}`)
  return JSON.parse(text)
}
