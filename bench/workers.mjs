// The same replay of a folder on one thread and on two, and on as many as there are cores.
import { availableParallelism } from 'node:os'
import { writeStore } from './make-store.mjs'
import { measureInTurns } from './measure.mjs'

export async function bench({ folder, main, runs }) {
  const { store, events } = await writeStore(folder, main)
  const scan = [process.execPath, main, 'scan', '--store', store, '--projection', 'booking', '--limit', '0']
  const digests = new Set()
  const counts = [...new Set([1, 2, availableParallelism()])]
  const contestants = counts.map((count) => ({
    what: `--workers ${count}`,
    command: [...scan, '--format', 'ndjson', '--workers', String(count)],
    ok: [2],
    check: (text) => digests.add(JSON.parse(text.trim().split('\n').at(-1)).digest),
  }))
  const measured = await measureInTurns(contestants, runs)
  if (digests.size !== 1) throw new Error(`digests differ: ${[...digests].join(', ')}`)
  return {
    about: `${events.toLocaleString('en')} events of generated bookings in a folder; goal: two threads 1.5 times as fast as one.`,
    rows: contestants.map(({ what }, index) => ({ what, ...measured[index] })),
    notes: [
      'The digests are equal. All threads read, fold and judge; one of them puts what the others read into its place, and brings the findings together.',
    ],
  }
}
