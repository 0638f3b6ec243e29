// Replay over the wire: bookings from `serve` by our own reader beside the official client's loop, both through the same pipeline.
import { fileURLToPath } from 'node:url'
import { writeStore } from './make-store.mjs'
import { measureInTurns } from './measure.mjs'
import { startServing } from './serving.mjs'

const CLIENT_LOOP = fileURLToPath(new URL('wire-client.mjs', import.meta.url))

export async function bench({ folder, main, runs }) {
  const { store, events } = await writeStore(folder, main)
  const { where, stop } = await startServing(main, store)
  try {
    return await measure({ main, runs, where, events })
  } finally {
    await stop()
  }
}

async function measure({ main, runs, where, events }) {
  const digests = new Set()
  const scan = [process.execPath, main, 'scan', '--store', where, '--projection', 'booking', '--limit', '0']
  const contestants = [
    {
      what: 'makegood scan',
      command: [...scan, '--format', 'ndjson'],
      ok: [2],
      check: (text) => digests.add(JSON.parse(text.trim().split('\n').at(-1)).digest),
    },
    {
      what: 'official client, for await (readAll()), same pipeline',
      command: [process.execPath, CLIENT_LOOP, where],
      check: (text) => digests.add(text.trim()),
    },
    {
      what: 'official client, its loop alone',
      command: [process.execPath, CLIENT_LOOP, where, 'count'],
      check: () => {},
    },
  ]
  const measured = await measureInTurns(contestants, runs)
  if (digests.size !== 1) throw new Error(`digests differ: ${[...digests].join(', ')}`)
  return {
    about: `${events.toLocaleString('en')} events of generated bookings, read from \`serve\` in another process.`,
    rows: contestants.map(({ what }, index) => ({ what, ...measured[index] })),
    notes: ['The digests are equal. The time on the processor is that of the reading process alone.'],
  }
}
