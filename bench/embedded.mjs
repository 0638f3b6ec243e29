// Replay of the embedded store: the full pipeline (checksum, decoding, schemas, fold, rules, digest) beside a bare loop over the same
// table that parses each event's JSON and does nothing with it.
import { fileURLToPath } from 'node:url'
import { writeStore } from './make-store.mjs'
import { measureInTurns } from './measure.mjs'

const fileBeside = (name) => fileURLToPath(new URL(name, import.meta.url))

export async function bench({ folder, main, runs }) {
  const { store, events } = await writeStore(folder, main)
  const scan = [process.execPath, main, 'scan', '--store', store, '--projection', 'booking', '--limit', '0']
  const contestants = [
    {
      what: 'makegood scan',
      command: [...scan, '--format', 'ndjson'],
      ok: [2],
      check: (text) => expectEvents(lastLineOf(text).coverage.events, events),
    },
    {
      what: 'bare loop: LMDB scan and JSON.parse',
      command: [process.execPath, fileBeside('embedded-bare.mjs'), store],
      check: (text) => expectEvents(Number(text), events),
    },
  ]
  const measured = await measureInTurns(contestants, runs)
  const perSecond = measured.map(({ cpuMs }) => Math.round((events / cpuMs) * 1000).toLocaleString('en'))
  return {
    about: `${events.toLocaleString('en')} events of generated bookings in a folder.`,
    rows: contestants.map(({ what }, index) => ({ what, ...measured[index] })),
    notes: [`Events a second of processor time: ${perSecond.join(' and ')}. The start of the process is in it.`],
  }
}

function expectEvents(found, expected) {
  // The store's marker is an event too, and so is what a server that served it wrote: a bare loop sees them.
  if (Math.abs(found - expected) > 16) throw new Error(`expected ${expected} events, found ${found}`)
}

function lastLineOf(text) {
  return JSON.parse(text.trim().split('\n').at(-1))
}
