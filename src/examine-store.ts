// Composition: what `doctor` looks at. The store's files are walked in a process of their own, since a data file that was cut short ends
// the process that reads it.
import { spawn } from 'node:child_process'
import type { Check } from './cli/context.js'
import { formatTicks, ticksOfMs } from './log/ticks.js'
import { openStore } from './open-store.js'
import type { FolderCheck } from './stores/embedded/check-folder.js'
import { isConnectionString } from './stores/eventstoredb/connection-string.js'

const WALK = `
import { checkFolder } from ${JSON.stringify(new URL('./stores/embedded/check-folder.js', import.meta.url).href)}
process.stdout.write(JSON.stringify(await checkFolder(process.argv[1])))`

/** How far the log's last event may be ahead of the clock. */
const SKEW_MS_MAX = 5_000

/** Examines the store at `where`. Throws StoreUnavailableError where there is none. */
export async function examineStore(where: string, clock: () => number): Promise<readonly Check[]> {
  const lastCreated = await lastCreatedIn(where)
  return [checkNode(), await checkFiles(where), checkClock(lastCreated, clock())]
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 19)
  return { check: 'Node.js', ok, found: process.version, ...(!ok && { mend: 'use Node.js 20.19 or newer' }) }
}

async function lastCreatedIn(where: string): Promise<bigint | undefined> {
  const store = await openStore(where, 'read')
  try {
    for await (const { events } of store.readAll({ direction: 'backwards', maxCount: 1 })) return events[0]?.created
    return undefined
  } catch {
    // A log whose last event cannot be read is what the walk below tells, with all else.
    return undefined
  } finally {
    await store.close()
  }
}

function checkClock(lastCreated: bigint | undefined, now: number): Check {
  const ok = lastCreated === undefined || lastCreated <= ticksOfMs(now + SKEW_MS_MAX)
  const found = lastCreated === undefined ? 'no event to compare with' : `last event ${formatTicks(lastCreated)}`
  return { check: 'clock', ok, found, ...(!ok && { mend: 'the last event is in the future: set the clock right' }) }
}

async function checkFiles(where: string): Promise<Check> {
  const check = 'checksums, density, positions, index'
  const mend = 'stop writing, keep a copy of the folder, and restore the last good one'
  if (where === 'memory:') return { check, ok: true, found: 'a store in memory has no files' }
  if (isConnectionString(where))
    return { check, ok: true, found: 'a server has its files to itself; this looks at none of them' }
  const { code, text } = await walk(where)
  if (code !== 0) return { check, ok: false, found: `the data file is cut short or unreadable (${text || code})`, mend }
  const { events, streams, problems, problemCount } = JSON.parse(text) as FolderCheck
  const found = `${events} events in ${streams} streams`
  if (problemCount === 0) return { check, ok: true, found }
  return { check, ok: false, found: `${problemCount} problems; the first: ${problems[0]?.message}`, mend }
}

function walk(folder: string): Promise<{ code: number | string; text: string }> {
  return new Promise((resolve, reject) => {
    const args = ['--input-type=module', '-e', WALK, folder]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 1, text: Buffer.concat(chunks).toString() }))
  })
}
