// The log job: 2 M payments and 1.98 M tickets as JSON lines, beside the Python scripts that people write for it and DuckDB.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LOG_SHAPE, writeLogs } from './make-logs.mjs'
import { measureInTurns } from './measure.mjs'

const MISSING = LOG_SHAPE.payments - LOG_SHAPE.tickets
const fileBeside = (name) => fileURLToPath(new URL(name, import.meta.url))

export async function bench({ folder, main, runs }) {
  const { payments, tickets, bytes } = await writeLogs(folder)
  const files = [payments, tickets]
  const scan = [process.execPath, main, 'scan', '--payments', payments, '--tickets', tickets, '--limit', '0']
  const contestants = [
    {
      what: 'makegood scan',
      command: scan,
      ok: [2],
      check: (text) => expectMissing(JSON.parse(text).findings['paid-not-ticketed']),
    },
    { what: 'Python, lists and sets', command: ['python3', fileBeside('logs_plain.py'), ...files], check: checkNumber },
    { what: 'Python, sets only', command: ['python3', fileBeside('logs_sets.py'), ...files], check: checkNumber },
  ]
  const duckdb = findDuckDb(folder)
  if (duckdb) {
    const command = [process.execPath, fileBeside('logs-duckdb.mjs'), duckdb, ...files]
    contestants.push({ what: 'DuckDB, anti-join', command, check: checkNumber })
  }
  const measured = await measureInTurns(contestants, runs)
  const rows = contestants.map(({ what }, index) => ({ what, ...measured[index] }))
  return {
    about: `${LOG_SHAPE.payments.toLocaleString('en')} payments and ${LOG_SHAPE.tickets.toLocaleString('en')} tickets, ${(bytes / 1e6).toFixed(0)} MB, ${MISSING.toLocaleString('en')} of them paid and not ticketed.`,
    rows,
    notes: [
      'The scan also checks that every line is valid, names each finding with its evidence and makes the digest; the others count.',
      duckdb ? 'DuckDB reads two fields a line and uses all cores.' : 'DuckDB could not be had here.',
      ...goalNotes(rows),
    ],
  }
}

/** How far each goal is met, by the clock and by the processor: the clock also tells what else the machine did. */
function goalNotes([own, script, , duckdb]) {
  const times = (a, b) =>
    `${(a.ms / b.ms).toFixed(1)} x by the clock, ${(a.cpuMs / b.cpuMs).toFixed(1)} x by the processor`
  return [
    `Goal: 10 x the speed of the script with lists: ${times(script, own)}.`,
    `Goal: a tenth of its memory: 1/${(script.peakBytes / own.peakBytes).toFixed(1)}.`,
    ...(duckdb ? [`Goal: at most 1.5 x DuckDB's time: ${times(own, duckdb)}.`] : []),
  ]
}

function checkNumber(text) {
  expectMissing(Number(text))
}

function expectMissing(found) {
  if (found !== MISSING) throw new Error(`expected ${MISSING} missing, found ${found}`)
}

/** The folder whose node_modules hold DuckDB: it is no dependency of ours, and is fetched for this run alone. */
function findDuckDb(folder) {
  const place = join(folder, 'duckdb')
  const isThere = () => existsSync(join(place, 'node_modules/@duckdb/node-api'))
  if (!isThere()) {
    spawnSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', place, '@duckdb/node-api'], {
      stdio: 'ignore',
    })
  }
  return isThere() ? place : undefined
}
