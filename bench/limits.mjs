// What this machine can do in one thread of Node: copies, reads, parses, frames. Then how far each path of a replay is from what its own steps would
// take if nothing else were done.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { connect } from 'node:http2'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { booking } from '../dist/projections/booking/booking.js'
import { openStore } from '../dist/src/open-store.js'
import { LOG_SHAPE, writeLogs } from './make-logs.mjs'
import { writeStore } from './make-store.mjs'
import { measureInTurns, medianOf } from './measure.mjs'
import { openLog } from './open-log.mjs'
import { startServing } from './serving.mjs'

const SAMPLE_EVENTS = 100_000
const RUNS = 5
const FRAME_BYTES = 16_384

export const page = 'limits.md'

export async function bench({ folder, main, runs, short }) {
  const { store, events } = await writeStore(folder, main, short ? 2_000 : undefined)
  const sample = await sampleOf(store)
  const limits = await measureLimits(store, sample)
  const paths = await measurePaths({ folder, main, runs: Math.min(runs, 3), short, store, events }, limits, sample)
  return {
    about: `Events of generated bookings, ${Math.round(sample.bytes / sample.data.length)} bytes of JSON each in the mean. One thread; medians of ${RUNS}.`,
    table: [
      '| what | a second | an event |',
      '| --- | --- | --- |',
      ...Object.entries(limits).map(([what, limit]) => `| ${[what, rateOf(limit), perEvent(limit)].join(' | ')} |`),
      '',
      '| path | processor time an event | its own steps alone | times that |',
      '| --- | --- | --- | --- |',
      ...paths.map(({ what, us, bound, steps }) => {
        const times = `${(us / bound).toFixed(1)} x`
        return `| ${what} | ${us.toFixed(2)} µs | ${bound.toFixed(2)} µs: ${steps} | ${times} |`
      }),
    ],
    notes: ['Processor time is that of all threads of the reading process, its start included.'],
  }
}

/** Microseconds an event, where a limit is of events, and bytes a second, where it is of bytes. */
function rateOf({ us, bytesPerSecond }) {
  return us === undefined ? `${(bytesPerSecond / 1e9).toFixed(2)} GB` : `${Math.round(1e6 / us).toLocaleString('en')}`
}

function perEvent({ us, usOfBytes }) {
  return `${(us ?? usOfBytes).toFixed(2)} µs`
}

async function sampleOf(where) {
  const store = await openStore(where, 'read')
  const [data, types] = [[], []]
  try {
    for await (const { events } of store.readAll({ filter: { streamPrefixes: ['payment-', 'ticket-'] } })) {
      for (const event of events) {
        data.push(Buffer.from(event.data))
        types.push(event.type)
      }
      if (data.length >= SAMPLE_EVENTS) break
    }
  } finally {
    await store.close()
  }
  return { data, types, bytes: data.reduce((sum, { length }) => sum + length, 0) }
}

async function measureLimits(store, sample) {
  const { data, types, bytes } = sample
  const each = (us) => ({ us })
  const meanBytes = bytes / data.length
  const ofBytes = (bytesPerSecond) => ({ bytesPerSecond, usOfBytes: (meanBytes / bytesPerSecond) * 1e6 })
  const file = join(
    store,
    readdirSync(store).find((name) => name.endsWith('.mdb') && !name.startsWith('lock')),
  )
  const texts = data.map((one) => one.toString())
  const parsed = texts.map((text) => JSON.parse(text))
  const schemas = types.map((type) => booking.events[type] ?? booking.events['*'])
  const everyEvent = (work) => each(usOf(data.length, () => data.forEach(work)))
  const disk = readPastCache(file)
  return {
    'memory copy': ofBytes(copyRate()),
    'file read, cached': ofBytes(readRate(file)),
    ...(disk && { 'file read, past the cache': ofBytes(disk) }),
    'newlines found': ofBytes(newlineRate(texts)),
    'checksum (crc32)': everyEvent((one) => crc32(one)),
    'digest (sha256)': everyEvent((one) => createHash('sha256').update(one).digest()),
    'text of bytes': everyEvent((one) => one.toString('utf8')),
    'JSON.parse of bytes': everyEvent((one) => JSON.parse(one.toString('utf8'))),
    'schema (zod)': everyEvent((_, index) => schemas[index]?.safeParse(parsed[index])),
    'LMDB scan': each(scanUs(store)),
    'HTTP/2 on loopback, a message a frame': each(await framesUs(data, 1)),
    [`HTTP/2 on loopback, in frames of ${FRAME_BYTES / 1024} KiB`]: each(
      await framesUs(data, Math.floor(FRAME_BYTES / meanBytes)),
    ),
  }
}

/** Microseconds that one of `count` takes, in the median of some runs. */
function usOf(count, work) {
  return (medianOf(Array.from({ length: RUNS }, () => msOf(work))) / count) * 1000
}

function msOf(work) {
  const startedAt = performance.now()
  work()
  return performance.now() - startedAt
}

function copyRate() {
  const [from, to] = [Buffer.alloc(2 ** 27, 1), Buffer.alloc(2 ** 27)]
  return (from.length / usOf(1, () => from.copy(to))) * 1e6
}

function readRate(file) {
  const buffer = Buffer.allocUnsafeSlow(2 ** 20)
  const bytes = Math.min(statSync(file).size, 2 ** 30)
  const readAll = () => {
    const handle = openSync(file, 'r')
    for (let at = 0; at < bytes; at += buffer.length) readSync(handle, buffer, 0, buffer.length, at)
    closeSync(handle)
  }
  return (bytes / usOf(1, readAll)) * 1e6
}

/** Bytes a second with direct input, which the page cache has no part in; undefined where the system has none. */
function readPastCache(file) {
  const bytes = Math.floor(Math.min(statSync(file).size, 2 ** 30) / 2 ** 20) * 2 ** 20
  const args = [`if=${file}`, 'of=/dev/null', 'bs=1M', `count=${bytes / 2 ** 20}`, 'iflag=direct']
  try {
    return (bytes / usOf(1, () => execFileSync('dd', args, { stdio: 'ignore' }))) * 1e6
  } catch {
    return undefined
  }
}

function newlineRate(texts) {
  const bytes = Buffer.from(texts.join('\n'))
  const find = () => {
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1));
  }
  return (bytes.length / usOf(1, find)) * 1e6
}

function scanUs(store) {
  const { log, close } = openLog(store)
  let entries = 0
  let bytes = 0
  const scan = () => {
    entries = 0
    for (const { value } of log.getRange({})) {
      entries += 1
      bytes += value.length
    }
  }
  scan()
  const us = usOf(entries, scan)
  void close()
  return bytes > 0 ? us : Number.NaN
}

const SERVER = `
import { createServer } from 'node:http2'
import { parentPort, workerData } from 'node:worker_threads'
const { data, together } = workerData
const server = createServer()
server.on('stream', async (stream) => {
  stream.respond()
  for (let at = 0; at < data.length; at += together) {
    const chunk = together === 1 ? data[at] : Buffer.concat(data.slice(at, at + together))
    if (!stream.write(chunk)) await new Promise((drained) => stream.once('drain', drained))
  }
  stream.end()
})
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
`

/** Microseconds an event on the reading side, \`together\` of them in a frame, sent by another thread. */
async function framesUs(data, together) {
  const worker = new Worker(SERVER, { eval: true, workerData: { data, together } })
  const [port] = await once(worker, 'message')
  const client = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 2 ** 24 } })
  const times = []
  for (let run = 0; run < RUNS; run += 1) {
    const startedAt = performance.now()
    const stream = client.request({ ':path': '/' })
    let bytes = 0
    stream.on('data', (chunk) => {
      bytes += chunk.length
    })
    await once(stream, 'end')
    if (bytes === 0) throw new Error('nothing came over the wire')
    times.push(performance.now() - startedAt)
  }
  client.destroy()
  await worker.terminate()
  return (medianOf(times) / data.length) * 1000
}

async function measurePaths({ folder, main, runs, short, store, events }, limits, sample) {
  const scan = (where) => [process.execPath, main, 'scan', ...where, '--limit', '0', '--format', 'ndjson']
  const { where, stop } = await startServing(main, store)
  const logs = short ? undefined : await writeLogs(folder)
  const contestants = [
    { what: 'embedded', command: scan(['--store', store, '--projection', 'booking']), count: events },
    { what: 'wire', command: scan(['--store', where, '--projection', 'booking']), count: events },
    ...(logs
      ? [
          {
            what: 'logs',
            command: scan(['--payments', logs.payments, '--tickets', logs.tickets]),
            count: LOG_SHAPE.payments + LOG_SHAPE.tickets,
          },
        ]
      : []),
  ].map((one) => ({ ...one, ok: [2], check: () => {} }))
  try {
    const measured = await measureInTurns(contestants, runs)
    return contestants.map(({ what, count }, index) => {
      const us = (measured[index].cpuMs / count) * 1000
      return { what, us, ...boundOf(what, limits, logs && logs.bytes / count, sample) }
    })
  } finally {
    await stop()
  }
}

/** What the steps that a path cannot do without take, a microsecond figure an event. */
function boundOf(what, limits, lineBytes) {
  if (what === 'logs') {
    const us = ['file read, cached', 'newlines found'].reduce(
      (sum, name) => sum + (lineBytes / limits[name].bytesPerSecond) * 1e6,
      0,
    )
    return { bound: us, steps: 'reading the bytes and finding the lines' }
  }
  const [transport] = what === 'wire' ? Object.keys(limits).filter((name) => name.includes('KiB')) : ['LMDB scan']
  const steps = [transport, ...(what === 'wire' ? [] : ['checksum (crc32)']), 'JSON.parse of bytes', 'schema (zod)']
  return { bound: steps.reduce((sum, name) => sum + limits[name].us, 0), steps: steps.join(', ') }
}
