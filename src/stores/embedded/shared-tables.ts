// One set of writable tables for each folder and process, however many stores are open on it. LMDB's write lock is the process's: a
// transaction under way waits for this thread to make its decisions, and a second set opened meanwhile would make this thread wait
// for that transaction, for ever.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DATA_FILE, makeTables, openTables, type Tables } from './tables.js'

interface Shared {
  readonly tables: Tables
  users: number
}

/** By the data file itself, not by its path: a folder that was removed and made again is another store. */
const writableByFile = new Map<string, Shared>()

/** Opens the store in a folder, making it where `make` says so. Each call needs a call of {@link releaseTables}. */
export function acquireTables(folder: string, { readOnly, make }: { readOnly: boolean; make: boolean }): Tables {
  if (readOnly) return openTables(folder, { readOnly })
  const known = writableByFile.get(keyOf(folder) ?? '')
  if (known) {
    known.users += 1
    return known.tables
  }
  const tables = make ? makeTables(folder) : openTables(folder, { readOnly })
  writableByFile.set(keyOf(folder) ?? '', { tables, users: 1 })
  return tables
}

/** Closes the tables once nobody uses them any more. */
export async function releaseTables(tables: Tables): Promise<void> {
  for (const [key, shared] of writableByFile) {
    if (shared.tables !== tables) continue
    shared.users -= 1
    if (shared.users > 0) return
    writableByFile.delete(key)
  }
  await tables.root.close()
}

/** What tells the data file from any other, undefined where there is none. */
function keyOf(folder: string): string | undefined {
  try {
    const { dev, ino } = statSync(join(folder, DATA_FILE), { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}
