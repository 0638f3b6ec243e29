// A replay under memory limits beside one without: the peak of private memory, and what the limit costs in time.
import { writeStore } from './make-store.mjs'
import { measureInTurns } from './measure.mjs'

const LIMITS = ['16gb', '512mb', '256mb']

export async function bench({ folder, main, runs }) {
  const { store, bookings, events } = await writeStore(folder, main)
  const scan = [process.execPath, '--max-old-space-size=12000', main, 'scan', '--store', store]
  const digests = new Set()
  const contestants = LIMITS.map((limit) => ({
    what: limit === LIMITS[0] ? 'without a limit' : `--memory ${limit}`,
    command: [...scan, '--projection', 'booking', '--limit', '0', '--format', 'ndjson', '--memory', limit],
    ok: [2],
    check: (text) => digests.add(JSON.parse(text.trim().split('\n').at(-1)).digest),
  }))
  const measured = await measureInTurns(contestants, runs)
  if (digests.size !== 1) throw new Error(`digests differ: ${[...digests].join(', ')}`)
  return {
    about: `${bookings.toLocaleString('en')} bookings, ${events.toLocaleString('en')} events in a folder; goal: the limit and 150 MB, twice the time.`,
    rows: contestants.map(({ what }, index) => ({ what, ...measured[index] })),
    notes: ['The digests are equal.'],
  }
}
