// Who may do what with which stream: the `$acl` in a stream's metadata, else the defaults in `$settings`, else those of a fresh
// server. Only a server with TLS, and so with users, asks.
import type { EventReader } from '../../log/event-store.js'
import { describedBy } from '../../log/stream.js'
import { readStreamMetadata } from '../../log/stream-metadata.js'
import { accessDenied } from '../status.js'
import { ADMINS, isAdmin, type Principal } from './principal.js'

export type StreamAction = 'read' | 'write' | 'delete' | 'metaRead' | 'metaWrite'

export interface StreamAccess {
  /** Throws the status of a denial. Answers at once where nobody has to be asked. */
  check(principal: Principal, action: StreamAction, stream: string): Promise<void> | void
}

/** Everybody may do everything: a server without TLS. */
export const OPEN_ACCESS: StreamAccess = { check: () => undefined }

/** Stands for every user, but not for callers without credentials. */
const EVERY_USER = '$all'
const SETTINGS_STREAM = '$settings'

const ACL_KEY: Readonly<Record<StreamAction, string>> = {
  read: '$r',
  write: '$w',
  delete: '$d',
  metaRead: '$mr',
  metaWrite: '$mw',
}

/** Access by access control lists, as they stand in the log at each call. */
export class ListedAccess implements StreamAccess {
  readonly #reader: EventReader

  constructor(reader: EventReader) {
    this.#reader = reader
  }

  async check(principal: Principal, action: StreamAction, stream: string): Promise<void> {
    if (isAdmin(principal)) return
    if (!principal) throw accessDenied()
    const described = describedBy(stream)
    const subject = described ?? stream
    const asked = described === undefined ? action : action === 'read' ? 'metaRead' : 'metaWrite'
    const roles = await this.#rolesFor(subject, ACL_KEY[asked])
    const mine = [EVERY_USER, principal.login, ...principal.groups]
    if (!roles.some((role) => mine.includes(role))) throw accessDenied()
  }

  async #rolesFor(stream: string, key: string): Promise<readonly string[]> {
    const metadata = await readStreamMetadata(this.#reader, stream)
    return rolesIn(objectIn(metadata?.data)?.$acl, key) ?? this.#defaultRolesFor(stream, key)
  }

  async #defaultRolesFor(stream: string, key: string): Promise<readonly string[]> {
    const system = stream.startsWith('$')
    const settings = await lastData(this.#reader, SETTINGS_STREAM)
    const acl = objectIn(settings)?.[system ? '$systemStreamAcl' : '$userStreamAcl']
    return rolesIn(acl, key) ?? [system ? ADMINS : EVERY_USER]
  }
}

/** The roles that a list names for an action: one as text, or several. Undefined where it does not speak of the action. */
function rolesIn(acl: unknown, key: string): readonly string[] | undefined {
  if (typeof acl !== 'object' || acl === null) return undefined
  const roles = (acl as Record<string, unknown>)[key]
  if (typeof roles === 'string') return [roles]
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : undefined
}

async function lastData(reader: EventReader, stream: string): Promise<Uint8Array | undefined> {
  const read = await reader.readStream(stream, { direction: 'backwards', maxCount: 1 })
  if (read.kind !== 'found') return undefined
  for await (const [last] of read.events) return last?.data
  return undefined
}

const decoder = new TextDecoder()

function objectIn(data: Uint8Array | undefined): Record<string, unknown> | undefined {
  if (!data) return undefined
  try {
    const json: unknown = JSON.parse(decoder.decode(data))
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
