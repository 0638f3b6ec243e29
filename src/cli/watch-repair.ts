// `watch --repair POLICY`: the policy, the authority and the limits, put together.
import type { LookUp } from '../engine/judge-part.js'
import type { Projection } from '../engine/projection.js'
import type { EventStore } from '../log/event-store.js'
import { readStoreMarker } from '../log/store-marker.js'
import { AutoRepair, type RepairReport } from '../watch/auto-repair.js'
import { parseRepairPolicy, type RepairPolicy, RepairPolicyError } from '../watch/repair-policy.js'
import type { Session } from '../watch/session.js'
import { openAuthorityFor } from './authority-option.js'
import { itemRow } from './commands/apply.js'
import type { Context } from './context.js'
import { UsageError } from './exit-codes.js'
import { readWhole } from './files.js'
import { limitsOf } from './limit-options.js'
import { liveRepair } from './live-repair.js'
import type { Row } from './output.js'
import type { WatchCommandOptions } from './watch-options.js'

interface Surroundings {
  readonly store: EventStore
  readonly projection: Projection
  /** The name of the watch. */
  readonly name: string
  readonly clock: () => number
  readonly session: () => Session | undefined
  readonly context: Context
  readonly lookUp?: LookUp
  readonly onRow: (row: Row) => void
  readonly onReport: (report: RepairReport) => void
}

/** What repairs beside a watch, and how to let go of it. */
export interface WatchRepair {
  readonly auto: AutoRepair
  close(): Promise<void>
}

/** How often it looks for something to repair. */
const EVERY_MS = 1_000

/** Opens what `--repair` asks for; undefined where it is not asked for. Throws UsageError. */
export async function openWatchRepair(
  options: WatchCommandOptions,
  about: Surroundings,
): Promise<WatchRepair | undefined> {
  const { repair: path, now } = options
  const { store, projection, name, clock, session, context, lookUp, onRow, onReport } = about
  if (path === undefined) return undefined
  if (now !== undefined && !(await readStoreMarker(store)))
    throw new UsageError(
      '--now: this store is not marked as generated, and real bookings are repaired by the clock only',
    )
  const policy = await readPolicy(path, projection)
  const { isFrozen: frozen = () => undefined } = limitsOf(limitOptions(policy), context)
  const opened = projection.settlement ? await openAuthorityFor(store, options, context) : undefined
  const onOutcome = (outcome: Parameters<typeof itemRow>[0]) => onRow(itemRow(outcome))
  const work = { store, projection, policy, authority: opened?.authority, clock, frozen, context, lookUp, onOutcome }
  const auto = new AutoRepair({
    store,
    name,
    projection,
    policy,
    repair: liveRepair(work),
    session,
    frozen,
    clock,
    newId: context.newId,
    everyMs: EVERY_MS,
    onReport,
    onTrouble: (error) => context.logger.warn({ err: error }, 'repair'),
  })
  return { auto, close: async () => opened?.close() }
}

async function readPolicy(path: string, { rules }: Projection): Promise<RepairPolicy> {
  const repairable = rules.filter(({ disposition }) => disposition === 'repair').map(({ id }) => id)
  try {
    return parseRepairPolicy(await readWhole(path), repairable)
  } catch (error) {
    if (error instanceof RepairPolicyError) throw new UsageError(`--repair ${path}: ${error.message}`, { cause: error })
    throw error
  }
}

function limitOptions({ freeze, killSwitch, errorBudget }: RepairPolicy) {
  return { freeze, errorBudget, ...(killSwitch !== undefined && { killSwitch }) }
}
