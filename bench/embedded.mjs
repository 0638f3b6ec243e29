// Replay of the embedded store: the full pipeline (checksum, decoding, schemas, fold, rules, digest) beside a bare loop over the same
// table that parses each event's JSON and does nothing with it, and beside the official client's loop on `serve`.
import { fileURLToPath } from 'node:url'
import { writeStore } from './make-store.mjs'
import { measureInTurns } from './measure.mjs'
import { startServing } from './serving.mjs'

const fileBeside = (name) => fileURLToPath(new URL(name, import.meta.url))

export async function bench({ folder, main, runs }) {
  const { store, events } = await writeStore(folder, main)
  const { where, stop } = await startServing(main, store)
  try {
    return await measure({ main, runs, store, where, events })
  } finally {
    await stop()
  }
}

async function measure({ main, runs, store, where, events }) {
  const scan = [process.execPath, main, 'scan', '--store', store, '--projection', 'booking', '--limit', '0']
  const checkScan = (text) => expectEvents(lastLineOf(text).coverage.events, events)
  const contestants = [
    {
      what: 'bare loop: LMDB scan and JSON.parse',
      command: [process.execPath, fileBeside('embedded-bare.mjs'), store],
      check: (text) => expectEvents(Number(text), events),
    },
    {
      what: 'makegood scan --workers 1',
      command: [...scan, '--format', 'ndjson', '--workers', '1'],
      ok: [2],
      check: checkScan,
    },
    { what: 'makegood scan, a thread a core', command: [...scan, '--format', 'ndjson'], ok: [2], check: checkScan },
    {
      what: 'official client on `serve`, same pipeline',
      command: [process.execPath, fileBeside('wire-client.mjs'), where],
      check: () => {},
    },
  ]
  const measured = await measureInTurns(contestants, runs)
  const [bare, one, all, client] = measured.map(({ ms }) => ms)
  return {
    about: `${events.toLocaleString('en')} events of generated bookings in a folder.`,
    rows: contestants.map(({ what }, index) => ({ what, ...measured[index] })),
    notes: [
      `Goal: half the speed of the bare loop on one thread: ${(bare / one).toFixed(2)}; above it with threads: ${(bare / all).toFixed(2)}.`,
      `Goal: 5 x the speed of the client's loop: ${(client / one).toFixed(1)} x on one thread, ${(client / all).toFixed(1)} x on a thread a core.`,
      'The start of each process is in its time.',
    ],
  }
}

function expectEvents(found, expected) {
  // The store's marker is an event too, and so is what a server that served it wrote: a bare loop sees them.
  if (Math.abs(found - expected) > 16) throw new Error(`expected ${expected} events, found ${found}`)
}

function lastLineOf(text) {
  return JSON.parse(text.trim().split('\n').at(-1))
}
