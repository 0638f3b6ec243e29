// Which methods there are, and what is said to a call of another one.
import { getSupportedMethods } from './features/get-supported-methods.js'
import { gossipRead } from './features/gossip-read.js'
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

/** Services of EventStoreDB that this server does not have. */
const UNSUPPORTED_SERVICES = [
  'event_store.client.projections.Projections',
  'event_store.client.operations.Operations',
  'event_store.client.monitoring.Monitoring',
  'event_store.client.redaction.Redaction',
]

export class Methods {
  readonly #byPath: ReadonlyMap<string, Rpc>
  readonly #services: ReadonlySet<string>

  constructor({ secure }: { secure: boolean }) {
    // Without TLS there are no users: clients should not be told otherwise, but those that ask all the same are told why.
    const told = [...STREAMS, ...GROUPS, gossipRead, ...(secure ? USERS : [])]
    const all = [...STREAMS, ...GROUPS, gossipRead, ...USERS, getSupportedMethods(told)]
    this.#byPath = new Map(all.map((rpc) => [rpc.path, rpc]))
    this.#services = new Set(all.map(({ path }) => serviceOf(path)))
  }

  /** The method of a path. Throws the status where there is none. */
  get(path: string): Rpc {
    const rpc = this.#byPath.get(path)
    if (rpc) return rpc
    const service = serviceOf(path)
    if (this.#services.has(service)) throw unimplemented('Method is unimplemented.')
    throw unimplemented(
      UNSUPPORTED_SERVICES.includes(service)
        ? `${service} is not supported by this server.`
        : 'Service is unimplemented.',
    )
  }
}

function serviceOf(path: string): string {
  return path.slice(1, path.lastIndexOf('/'))
}
