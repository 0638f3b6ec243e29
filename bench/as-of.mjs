// Scans as of cuts drawn at random: from snapshots beside a replay from the start, whole processes, the same question and the same digest. What the
// snapshots cost, in time and on disk, is told with them. The replay from the start is run for every fourth cut: how long it takes for the others is read
// off the line through those, and how far those lie from it is told.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeStore } from './make-store.mjs'
import { measureOnce, medianOf } from './measure.mjs'

/** About five million events. */
const BOOKINGS = 875_000
const CUTS = 20
/** Of so many cuts that follow each other in the log, the one in the middle is asked about from the start too. */
const ASKED_FROM_START_EVERY = 4
/** A short run goes through a log so much smaller, and fewer cuts. */
const SHORT = 50
const CUTS_SHORT = 12
const EVERY = 10_000
const GOAL = 20

export async function bench({ folder, main, short }) {
  const bookings = Math.ceil(BOOKINGS / (short ? SHORT : 1))
  const { store, events } = await writeStore(folder, main, bookings)
  const every = Math.ceil(EVERY / (short ? SHORT : 1))
  const made = await makeSnapshots({ store, main, every, snapshots: join(folder, 'snapshots') })
  const seed = Number(process.env.MAKEGOOD_SEED ?? Math.floor(Math.random() * 2 ** 31))
  const answers = await answersOf(made, [...drawn(seed, short ? CUTS_SHORT : CUTS)])
  const measured = answers.filter(({ zero }) => zero)
  const lines = { ms: lineThrough(measured, 'ms'), cpuMs: lineThrough(measured, 'cpuMs') }
  const questions = answers.map((answer) => withZero(answer, lines))
  const ratios = questions.map(({ from, zero }) => zero.ms / from.ms)
  const cpuRatio = medianOf(questions.map(({ from, zero }) => zero.cpuMs / from.cpuMs))
  return {
    about: `${events.toLocaleString('en')} events of generated bookings in a folder; ${questions.length} cuts drawn at random (seed ${seed}). Goal: ${GOAL} x in the median.`,
    table: tableOf({ questions, ratios }),
    notes: [
      `${medianOf(ratios).toFixed(1)} x in the median by the clock (${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}), ${cpuRatio.toFixed(1)} x on the processor. The start of the process is in all times.`,
      `From the start ${measured.length} of the cuts were asked about, spread over the log: the digests are equal, and their median is ${medianOf(measured.map(({ from, zero }) => zero.ms / from.ms)).toFixed(1)} x. Times with ~ are read off the straight line through theirs, from which they lie ${percent(lines.ms.apart)} at most (${percent(lines.cpuMs.apart)} on the processor).`,
      `Making ${made.cuts} snapshots, one every ${every.toLocaleString('en')} events: ${seconds(made.ms)} s, ${megabytes(made.peakBytes)} MB of memory, ${megabytes(made.bytes)} MB on disk beside a log of ${megabytes(made.logBytes)} MB.`,
      `Memory at most: ${megabytes(Math.max(...questions.map(({ from }) => from.peakBytes)))} MB from a snapshot, ${megabytes(Math.max(...measured.map(({ zero }) => zero.peakBytes)))} MB from the start.`,
    ],
  }
}

async function makeSnapshots({ store, main, every, snapshots }) {
  rmSync(snapshots, { recursive: true, force: true })
  const at = ['--store', store, '--projection', 'booking', '--snapshots', snapshots, '--format', 'ndjson']
  const command = [process.execPath, main, 'snapshot', ...at, '--every', String(every)]
  const { stdout, ms, peakBytes } = await measureOnce(command)
  const { cuts, bytes, newest } = JSON.parse(stdout)
  const scan = [process.execPath, main, 'scan', ...at, '--limit', '0']
  // Positions of an embedded store count bytes.
  return { scan, cuts, bytes, ms, peakBytes, logBytes: Number(newest.commit) }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function* drawn(seed, count) {
  let state = seed
  for (let left = count; left > 0; left -= 1) {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** In the order in which they were drawn, so that what else the machine does falls on early and late cuts alike. */
async function answersOf(made, shares) {
  const sorted = shares.toSorted((a, b) => a - b)
  const isMiddle = (share) => sorted.indexOf(share) % ASKED_FROM_START_EVERY === ASKED_FROM_START_EVERY / 2
  const answers = []
  for (const share of shares) answers.push(await ask(made, share, { fromStart: isMiddle(share) }))
  return answers
}

/** The first event behind a share of the log is asked about by its own position, which both find at once. */
async function ask({ scan, logBytes }, share, { fromStart }) {
  const place = Math.max(1, Math.floor(share * logBytes))
  const { cut } = summaryOf(await measureOnce([...scan, '--as-of', `${place}/${place}`], ANY_END))
  const exact = [...scan, '--as-of', `${cut.commit}/${cut.prepare}`]
  const from = await measureOnce(exact, ANY_END)
  const zero = fromStart ? await measureOnce([...exact, '--no-from-snapshot'], ANY_END) : undefined
  const [one, other] = [summaryOf(from), summaryOf(zero ?? from)]
  if (one.digest !== other.digest) throw new Error(`as of ${cut.commit}: ${one.digest} and ${other.digest}`)
  return { events: one.coverage.events, from, zero }
}

/** The least squares' line of a figure over the events up to the cut, and how far the farthest point lies from it, as a share of what the line says. */
function lineThrough(measured, figure) {
  const mean = (of) => measured.reduce((sum, one) => sum + of(one), 0) / measured.length
  const [x, y] = [({ events }) => events, ({ zero }) => zero[figure]]
  const [meanX, meanY] = [mean(x), mean(y)]
  const slope = mean((one) => (x(one) - meanX) * (y(one) - meanY)) / mean((one) => (x(one) - meanX) ** 2)
  const at = (events) => meanY + slope * (events - meanX)
  return { at, apart: Math.max(...measured.map((one) => Math.abs(y(one) / at(x(one)) - 1))) }
}

function withZero({ events, from, zero }, { ms, cpuMs }) {
  return zero
    ? { events, from, zero, mark: '' }
    : { events, from, zero: { ms: ms.at(events), cpuMs: cpuMs.at(events) }, mark: '~' }
}

/** With findings or without. */
const ANY_END = { ok: [0, 2] }

function summaryOf({ stdout }) {
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

function tableOf({ questions, ratios }) {
  const lines = questions.map((question, index) => ({ ...question, ratio: ratios[index] }))
  return [
    '| events up to the cut | from a snapshot | on the processor | from the start | on the processor | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines
      .sort((a, b) => a.events - b.events)
      .map(
        ({ events, from, zero, mark, ratio }) =>
          `| ${events.toLocaleString('en')} | ${seconds(from.ms)} s | ${seconds(from.cpuMs)} s | ${mark}${seconds(zero.ms)} s | ${mark}${seconds(zero.cpuMs)} s | ${mark}${ratio.toFixed(1)} x |`,
      ),
  ]
}

function percent(share) {
  return `${(share * 100).toFixed(0)} %`
}

function seconds(ms) {
  return (ms / 1000).toFixed(2)
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(0)
}
