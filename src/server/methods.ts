// Which methods there are, and what is said to a call of another one.
import { getSupportedMethods } from './features/get-supported-methods.js'
import { gossipRead } from './features/gossip-read.js'
import { mergeIndexes } from './operations/merge-indexes.js'
import { monitoringStats } from './operations/monitoring-stats.js'
import { refusalOf } from './operations/refused-methods.js'
import { restartPersistentSubscriptions } from './operations/restart-persistent-subscriptions.js'
import { shutdown } from './operations/shutdown.js'
import { createGroup } from './persistent/create.js'
import { deleteGroup } from './persistent/delete.js'
import { getGroupInfo } from './persistent/get-info.js'
import { listGroups } from './persistent/list.js'
import { readGroup } from './persistent/read.js'
import { replayParked } from './persistent/replay-parked.js'
import { restartSubsystem } from './persistent/restart-subsystem.js'
import { updateGroup } from './persistent/update.js'
import type { Rpc } from './server-context.js'
import { unimplemented } from './status.js'
import { append } from './streams/append.js'
import { batchAppend } from './streams/batch-append.js'
import { deleteStream, tombstone } from './streams/delete.js'
import { read } from './streams/read.js'
import { disableProjection } from './system-projections/disable.js'
import { enableProjection } from './system-projections/enable.js'
import { resetProjection } from './system-projections/reset.js'
import { restartProjections } from './system-projections/restart-subsystem.js'
import { projectionResult, projectionState } from './system-projections/state.js'
import { projectionStatistics } from './system-projections/statistics.js'
import { changePassword } from './users/change-password.js'
import { createUser } from './users/create.js'
import { deleteUser } from './users/delete.js'
import { userDetails } from './users/details.js'
import { disableUser } from './users/disable.js'
import { enableUser } from './users/enable.js'
import { resetPassword } from './users/reset-password.js'
import { updateUser } from './users/update.js'

const STREAMS = [read, append, batchAppend, deleteStream, tombstone]
const GROUPS = [
  createGroup,
  updateGroup,
  deleteGroup,
  readGroup,
  getGroupInfo,
  listGroups,
  replayParked,
  restartSubsystem,
]
const USERS = [createUser, updateUser, deleteUser, enableUser, disableUser, userDetails, changePassword, resetPassword]

const OPERATIONS = [gossipRead, monitoringStats, shutdown, mergeIndexes, restartPersistentSubscriptions]
const PROJECTIONS = [
  projectionStatistics,
  projectionState,
  projectionResult,
  enableProjection,
  disableProjection,
  resetProjection,
  restartProjections,
]

export class Methods {
  readonly #byPath: ReadonlyMap<string, Rpc>
  readonly #services: ReadonlySet<string>

  constructor({ secure, projections }: { secure: boolean; projections: boolean }) {
    // Without TLS there are no users, and projections are wanted or not: clients should not be told otherwise, but those that ask all the
    // same are told why.
    const always = [...STREAMS, ...GROUPS, ...OPERATIONS]
    const told = [...always, ...(secure ? USERS : []), ...(projections ? PROJECTIONS : [])]
    const all = [...always, ...USERS, ...PROJECTIONS, getSupportedMethods(told)]
    this.#byPath = new Map(all.map((rpc) => [rpc.path, rpc]))
    this.#services = new Set(all.map(({ path }) => serviceOf(path)))
  }

  /** The method of a path. Throws the status where there is none. */
  get(path: string): Rpc {
    const rpc = this.#byPath.get(path)
    if (rpc) return rpc
    const refusal = refusalOf(path)
    if (refusal !== undefined) throw unimplemented(refusal)
    throw unimplemented(`${this.#services.has(serviceOf(path)) ? 'Method' : 'Service'} is unimplemented.`)
  }
}

function serviceOf(path: string): string {
  return path.slice(1, path.lastIndexOf('/'))
}
