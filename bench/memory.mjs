// A long replay under a memory limit beside one without: the peak of private memory, and what the limit costs in time. One run each.
import { writeStore } from './make-store.mjs'
import { measureInTurns } from './measure.mjs'

/** About 20 million events. A short run takes so many fewer. */
const BOOKINGS = 3_500_000
const SHORT = 100

const LIMITS = ['20gb', '512mb']
/** Beside the limit: the program itself, its threads' heaps, and what is on its way. */
const BESIDE_MB = 150

export async function bench({ folder, main, short }) {
  const { store, bookings, events } = await writeStore(folder, main, short ? BOOKINGS / SHORT : BOOKINGS)
  const scan = [process.execPath, '--max-old-space-size=12000', main, 'scan', '--store', store]
  const digests = new Set()
  const contestants = LIMITS.map((limit) => ({
    what: limit === LIMITS[0] ? 'without a limit' : `--memory ${limit}`,
    command: [...scan, '--projection', 'booking', '--limit', '0', '--format', 'ndjson', '--memory', limit],
    ok: [2],
    check: (text) => digests.add(JSON.parse(text.trim().split('\n').at(-1)).digest),
  }))
  const [free, bound] = await measureInTurns(contestants, 1)
  if (digests.size !== 1) throw new Error(`digests differ: ${[...digests].join(', ')}`)
  const limitMb = Number.parseInt(LIMITS[1], 10) + BESIDE_MB
  return {
    about: `${bookings.toLocaleString('en')} bookings, ${events.toLocaleString('en')} events in a folder.`,
    rows: contestants.map(({ what }, index) => ({ what, ...[free, bound][index] })),
    notes: [
      'The digests are equal.',
      `Goal: at most ${limitMb} MiB: ${(bound.peakBytes / 2 ** 20).toFixed(0)} MiB. Goal: at most twice the time: ${(bound.ms / free.ms).toFixed(2)} x.`,
    ],
  }
}
