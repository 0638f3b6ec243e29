// Growth: logs of 1, 2, 4 and 8 million events under one memory limit. Time an event should not grow, nor memory.
import { writeStore } from './make-store.mjs'
import { measureOnce } from './measure.mjs'

/** About a million events. */
const BOOKINGS = 175_000
const TIMES = [1, 2, 4, 8]
const LIMIT = '512mb'
/** How much more the largest may take an event than the smallest. */
const GOAL = 1.2
/** A short run goes through logs so much smaller. */
const SHORT = 20

export async function bench({ folder, main, short }) {
  const sizes = []
  for (const times of TIMES) {
    const bookings = Math.ceil((BOOKINGS * times) / (short ? SHORT : 1))
    sizes.push(await scanOnce(await writeStore(folder, main, bookings), main))
  }
  const [first] = sizes
  const last = sizes.at(-1)
  const growth = (of) => (of(last) / of(first)).toFixed(2)
  return {
    about: `Generated bookings in folders, scanned under --memory ${LIMIT}; one run each.`,
    table: [
      '| events | time | an event | on the processor, an event | peak memory | findings |',
      '| --- | --- | --- | --- | --- | --- |',
      ...sizes.map(lineOf),
    ],
    notes: [
      `From the smallest to the largest: time an event ${growth(usOf)} x, on the processor ${growth(cpuUsOf)} x; goal: at most ${GOAL} x.`,
      `Peak memory: ${growth(({ peakBytes }) => peakBytes)} x, of all threads together; findings: ${growth(({ findings }) => findings)} x.`,
    ],
  }
}

async function scanOnce({ store, events }, main) {
  const scan = ['scan', '--store', store, '--projection', 'booking', '--memory', LIMIT, '--limit', '0']
  const command = [process.execPath, main, ...scan, '--format', 'ndjson']
  const { stdout, ...figures } = await measureOnce(command, { ok: [2] })
  const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1))
  if (Math.abs(summary.coverage.events - events) > 1)
    throw new Error(`${events} events, ${summary.coverage.events} seen`)
  const findings = Object.values(summary.findings).reduce((sum, count) => sum + count, 0)
  return { ...figures, events, findings }
}

const usOf = ({ ms, events }) => (ms / events) * 1000
const cpuUsOf = ({ cpuMs, events }) => (cpuMs / events) * 1000

function lineOf(size) {
  const { events, ms, peakBytes, findings } = size
  const cells = [
    events.toLocaleString('en'),
    `${(ms / 1000).toFixed(1)} s`,
    `${usOf(size).toFixed(1)} µs`,
    `${cpuUsOf(size).toFixed(1)} µs`,
    `${(peakBytes / 1e6).toFixed(0)} MB`,
    findings.toLocaleString('en'),
  ]
  return `| ${cells.join(' | ')} |`
}
