// The input of the replay benches: generated bookings in an embedded store, the same on every machine.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measureOnce } from './measure.mjs'

/** About 5.7 events a booking. */
const BOOKINGS = 200_000

/** Generates the store where it is not there yet. */
export async function writeStore(folder, main, bookings = BOOKINGS) {
  const store = join(folder, `bookings-${bookings}`)
  const note = `${store}.json`
  if (!existsSync(note)) {
    const command = [process.execPath, main, 'generate', '--bookings', String(bookings), '--seed', '7']
    const { stdout } = await measureOnce([...command, '--store', store, '--format', 'ndjson'])
    writeFileSync(note, stdout)
  }
  return { store, bookings, events: JSON.parse(readFileSync(note, 'utf8')).events }
}
