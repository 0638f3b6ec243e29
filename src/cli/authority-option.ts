// `--authority`: who is asked. It is named, always; a generated store names the simulator by itself.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { EventReader } from '../log/event-store.js'
import { readStoreMarker } from '../log/store-marker.js'
import type { Authority } from '../repair/authority.js'
import { AUTHORITY_FILE } from '../workload/truth-files.js'
import type { Context } from './context.js'
import { UsageError } from './exit-codes.js'
import { type StoreOptions, storeOf } from './reading.js'
import { folderOf } from './store-folder.js'

export interface AuthorityOptions extends StoreOptions {
  readonly authority?: string
}

export const AUTHORITY_FLAGS = '--authority <url|module>'
export const AUTHORITY_HELP =
  'who does what a plan needs done outside of the log, such as the ticketing system; a generated store has a simulator'

/** The ledger of the simulator that a generated store in a folder has for itself. */
export const SIMULATOR_LEDGER = 'simulator-ledger.jsonl'

/** An authority, and how to let go of it. */
export interface OpenAuthority {
  readonly authority: Authority
  readonly close: () => Promise<void>
}

/** Opens the authority that is named, or the simulator where the store is generated. Throws UsageError where nobody is named. */
export async function openAuthorityFor(
  store: EventReader,
  options: AuthorityOptions,
  context: Context,
): Promise<OpenAuthority> {
  const { authority: where } = options
  if (where !== undefined) return { authority: await context.openAuthority(where), close: async () => {} }
  if (!(await readStoreMarker(store))) {
    throw new UsageError(
      '--authority is missing: the plan holds work that somebody outside of the log must do, and they must be named',
    )
  }
  const folder = folderOf(storeOf(options, context))
  if (folder === undefined) {
    throw new UsageError(
      '--authority is missing: this store is generated; start `makegood simulator --ledger FILE` and name its URL',
    )
  }
  return simulatorOf(folder, context)
}

async function simulatorOf(folder: string, context: Context): Promise<OpenAuthority> {
  const known = join(folder, AUTHORITY_FILE)
  const args = ['--ledger', join(folder, SIMULATOR_LEDGER), ...(existsSync(known) ? ['--known', known] : [])]
  const simulator = await context.startSimulator(args).catch((cause: Error) => {
    const others = 'Processes that share one start it themselves: `makegood simulator`, and --authority with its URL'
    throw new UsageError(`The simulator of this generated store cannot be started: ${cause.message}. ${others}`, {
      cause,
    })
  })
  context.stderr.write(`Generated store: tickets come from the simulator, ${args[1]}\n`)
  return { authority: await context.openAuthority(simulator.url), close: simulator.stop }
}
