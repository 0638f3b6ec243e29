// Catching up: a watch from the start of a long log to its end, with all that it tells and saves, beside a plain replay of the same log.
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeStore } from './make-store.mjs'
import { measureInTurns } from './measure.mjs'

const SHORT_BOOKINGS = 10_000

/** Rows for the report's table of times, and how many events there were. */
export async function measureCatchUp({ folder, main, runs, short, webhook }) {
  const { store, events } = await writeStore(folder, main, short ? SHORT_BOOKINGS : undefined)
  const scan = ['scan', '--limit', '0']
  const watch = ['watch', '--once']
  const contestants = [
    { what: 'makegood scan --workers 1', args: [...scan, '--workers', '1'] },
    { what: 'makegood scan, a thread a core', args: scan },
    { what: 'makegood watch --once', args: watch },
    { what: 'the same with a webhook that hangs', args: [...watch, '--webhook', webhook] },
  ].map(({ what, args }, index) => {
    // A watch writes into its store: each begins with a copy of its own, and with an end that has not moved.
    const copy = join(folder, `catch-up-${index}`)
    const command = [process.execPath, main, ...args, '--store', copy, '--projection', 'booking', '--format', 'ndjson']
    return { what, copy, command, ok: [2], check: () => {}, prepare: () => copyStore(store, copy) }
  })
  try {
    const measured = await measureInTurns(contestants, runs)
    return { events, rows: contestants.map(({ what }, index) => ({ what, ...measured[index] })) }
  } finally {
    for (const { copy } of contestants) rmSync(copy, { recursive: true, force: true })
  }
}

function copyStore(store, copy) {
  rmSync(copy, { recursive: true, force: true })
  cpSync(store, copy, { recursive: true })
}
