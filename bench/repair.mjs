// Guarded repairs a second: each is a claim, a look-up, an issue, a record and a proof, three appends that are durable and two questions over HTTP. Many
// in flight together, beside one awaited after the other, with an authority that answers at once and one that thinks for 20 ms.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { measureOnce, medianOf } from './measure.mjs'

const IN_FLIGHT = 64
/** So many items are taken that each way takes some seconds, of which the start of the process is one. */
const WAYS = [
  { latencyMs: 0, inFlight: 1, items: 800 },
  { latencyMs: 0, inFlight: IN_FLIGHT, items: 2_500 },
  { latencyMs: 20, inFlight: 1, items: 150 },
  { latencyMs: 20, inFlight: IN_FLIGHT, items: 2_500 },
]
const GOALS = { 0: 3, 20: 20 }

export async function bench({ folder, main, runs, short }) {
  const made = await makePlan({ folder, main, bookings: short ? 2_400 : 12_000 })
  const measured = WAYS.map(() => [])
  for (let turn = 0; turn < (short ? 1 : runs); turn += 1) {
    for (const [index, way] of WAYS.entries()) {
      const items = short ? Math.ceil(way.items / 8) : way.items
      measured[index].push(await applyOnce({ ...made, folder, main, ...way, items }))
    }
  }
  const rows = WAYS.map((way, index) => ({
    ...way,
    items: measured[index][0].items,
    rate: medianOf(measured[index].map(({ items, ms }) => items / (ms / 1000))),
    cpuMs: medianOf(measured[index].map(({ items, cpuMs }) => cpuMs / items)),
    all: measured[index].map(({ ms }) => (ms / 1000).toFixed(2)).join(' '),
  }))
  return {
    about: `Guarded repairs of bookings in a folder; the plan has ${made.plan.items.length.toLocaleString('en')} items on fewer bookings, those of one booking in order.`,
    table: [
      '| the authority answers | in flight | items | repairs a second | beside one by one | processor time an item | all runs, s |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      ...rows.map((row) => lineOf(row, rows)),
    ],
    notes: [
      'The time is that of the whole process, its start and the opening of review cases included. The authority is the simulator in a process of its own.',
      ...Object.entries(GOALS).map(([latencyMs, goal]) => goalLine(Number(latencyMs), goal, rows)),
    ],
  }
}

const answering = (latencyMs) => (latencyMs === 0 ? 'at once' : `after ${latencyMs} ms`)
const oneByOne = (rows, latencyMs) => rows.find((row) => row.latencyMs === latencyMs && row.inFlight === 1)

function lineOf({ latencyMs, inFlight, items, rate, cpuMs, all }, rows) {
  const ratio = inFlight === 1 ? '' : `${(rate / oneByOne(rows, latencyMs).rate).toFixed(1)} x`
  const cells = [answering(latencyMs), inFlight, items, rate.toFixed(0), ratio, `${cpuMs.toFixed(1)} ms`, all]
  return `| ${cells.join(' | ')} |`
}

function goalLine(latencyMs, goal, rows) {
  const many = rows.find((row) => row.latencyMs === latencyMs && row.inFlight > 1)
  const ratio = many.rate / oneByOne(rows, latencyMs).rate
  return `Goal where it answers ${answering(latencyMs)}: ${goal} x; ${ratio.toFixed(1)} x.`
}

async function makePlan({ folder, main, bookings }) {
  const store = join(folder, `outage-${bookings}`)
  const file = join(folder, `outage-${bookings}-plan.json`)
  rmSync(store, { recursive: true, force: true })
  const scenario = ['--bookings', String(bookings), '--seed', '7', '--scenario', 'outage']
  await measureOnce([process.execPath, main, 'generate', ...scenario, '--store', store])
  await measureOnce([process.execPath, main, 'plan', '--store', store, '--out', file], { ok: [0, 2] })
  return { store, file, plan: JSON.parse(readFileSync(file, 'utf8')) }
}

async function applyOnce({ store, file, plan, folder, main, latencyMs, inFlight, items }) {
  const copy = join(folder, 'repaired')
  const ledger = join(folder, 'repaired-ledger.jsonl')
  for (const path of [copy, ledger]) rmSync(path, { recursive: true, force: true })
  cpSync(store, copy, { recursive: true })
  const simulator = await startSimulator(main, [
    ...['--ledger', ledger, '--latency-ms', String(latencyMs)],
    ...['--known', join(store, 'authority.jsonl')],
  ])
  try {
    const options = ['--approve', plan.digest, '--authority', simulator.url, '--in-flight', String(inFlight)]
    const command = ['apply', file, '--store', copy, ...options, '--max', String(items)]
    const { stdout, ...figures } = await measureOnce([process.execPath, main, ...command], { ok: [0, 2, 6] })
    const { outcomes } = JSON.parse(stdout.trimEnd().split('\n').at(-1))
    if (outcomes.applied !== Math.min(items, plan.items.length)) {
      throw new Error(`not all was applied: ${JSON.stringify(outcomes)}`)
    }
    return { ...figures, items: outcomes.applied }
  } finally {
    await simulator.stop()
  }
}

async function startSimulator(main, args) {
  const child = spawn(process.execPath, [main, 'simulator', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [url] = await once(createInterface({ input: child.stdout }), 'line')
  return {
    url,
    stop: async () => {
      const ended = once(child, 'close')
      child.kill('SIGTERM')
      await ended
    },
  }
}
