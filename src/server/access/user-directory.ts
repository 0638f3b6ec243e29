// The server's users, kept in the log as EventStoreDB keeps them: `$user-{login}` holds a user's versions, `$users` names all.
import { createHash, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { jsonEvent, NO_BYTES, type RecordedEvent } from '../../log/event.js'
import type { AppendResult, EventStore } from '../../log/event-store.js'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'
import type { Ticks } from '../../log/ticks.js'
import { operationTimedOut, unavailable, userConflict, userNotFound } from '../status.js'
import { hashPassword, isPassword } from './password.js'
import type { User } from './principal.js'

/** A user to be made. */
export interface NewUser {
  readonly login: string
  readonly password: string
  readonly fullName?: string
  readonly groups?: readonly string[]
}

/** A user as listed. */
export interface UserDetails extends User {
  readonly fullName: string
  readonly disabled: boolean
  readonly lastUpdated: Ticks
}

const USERS_STREAM = '$users'

/** How many logins with the right password are remembered, so that not every call hashes. */
const REMEMBERED_MAX = 1_000

const USER_DATA = z.object({
  loginName: z.string(),
  fullName: z.string(),
  groups: z.array(z.string()),
  hash: z.string(),
  salt: z.string(),
  disabled: z.boolean().optional(),
})
type UserData = z.infer<typeof USER_DATA>

interface StoredUser {
  readonly data: UserData
  readonly revision: Revision
  readonly lastUpdated: Ticks
}

export class UserDirectory {
  readonly #store: EventStore
  /** A digest of the password by login and revision: a user that changed is not found in it. */
  readonly #remembered = new Map<string, string>()

  constructor(store: EventStore) {
    this.#store = store
  }

  /** The user with these credentials; undefined where there is none, the password is wrong or the user is disabled. */
  async authenticate(login: string, password: string): Promise<User | undefined> {
    const user = await this.#find(login)
    if (!user || user.data.disabled) return undefined
    const key = `${user.revision}@${login}`
    const digest = createHash('sha256').update(user.data.salt).update(password).digest('base64')
    if (this.#remembered.get(key) !== digest) {
      if (!(await isPassword(password, user.data))) return undefined
      if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear()
      this.#remembered.set(key, digest)
    }
    return { login, groups: user.data.groups }
  }

  /** Makes a user. One that is there with the same password is left as it is; with another one it is a conflict. */
  async create({ login, password, fullName = '', groups = [] }: NewUser): Promise<void> {
    const found = await this.#find(login)
    if (found) {
      if (await isPassword(password, found.data)) return
      throw userConflict(login)
    }
    const data: UserData = { loginName: login, fullName, groups: [...groups], ...(await hashPassword(password)) }
    const event = jsonEvent({ id: randomUUID(), type: '$UserCreated', data })
    const result = await this.#store.append(streamOf(login), [event], 'noStream')
    if (result.kind === 'conflict') throw userConflict(login)
    mustBeAppended(result)
    await this.#name(login)
  }

  /** Throws the status of a user that is not there; so do all below. */
  async update(
    login: string,
    change: { password?: string; fullName?: string; groups?: readonly string[] },
  ): Promise<void> {
    const { password, fullName, groups } = change
    await this.#change(login, {
      ...(fullName !== undefined && { fullName }),
      ...(groups && { groups: [...groups] }),
      ...(password && (await hashPassword(password))),
    })
  }

  async setDisabled(login: string, disabled: boolean): Promise<void> {
    await this.#change(login, { disabled })
  }

  async setPassword(login: string, password: string): Promise<void> {
    await this.#change(login, await hashPassword(password))
  }

  async delete(login: string): Promise<void> {
    const { revision } = await this.#get(login)
    const result = await this.#store.deleteStream(streamOf(login), revision)
    if (result.kind !== 'deleted') throw unavailable('The user was changed at the same time')
  }

  async details(login: string): Promise<UserDetails> {
    return detailsOf(await this.#get(login))
  }

  /** All users, in the order in which they were made. */
  async list(): Promise<UserDetails[]> {
    const logins = new Set<string>()
    const read = await this.#store.readStream(USERS_STREAM)
    if (read.kind === 'found') {
      for await (const events of read.events) for (const { data } of events) logins.add(Buffer.from(data).toString())
    }
    const users = await Promise.all([...logins].map((login) => this.#find(login)))
    return users.filter((user) => user !== undefined).map(detailsOf)
  }

  async #change(login: string, change: Partial<UserData>): Promise<void> {
    const { data, revision } = await this.#get(login)
    const { disabled, ...changed } = { ...data, ...change }
    const event = jsonEvent({
      id: randomUUID(),
      type: '$UserUpdated',
      data: { ...changed, ...(disabled && { disabled }) },
    })
    mustBeAppended(await this.#store.append(streamOf(login), [event], revision))
  }

  async #name(login: string): Promise<void> {
    const event = { id: randomUUID(), type: '$User', contentType: 'application/octet-stream' as const }
    mustBeAppended(
      await this.#store.append(USERS_STREAM, [{ ...event, data: Buffer.from(login), metadata: NO_BYTES }], 'any'),
    )
  }

  async #get(login: string): Promise<StoredUser> {
    const user = await this.#find(login)
    if (!user) throw userNotFound(login)
    return user
  }

  async #find(login: string): Promise<StoredUser | undefined> {
    const read = await this.#store.readStream(streamOf(login), { direction: 'backwards', maxCount: 1 })
    if (read.kind !== 'found') return undefined
    for await (const [last] of read.events)
      return last && last.revision !== TOMBSTONE_REVISION ? storedIn(last) : undefined
    return undefined
  }
}

function streamOf(login: string): string {
  return `$user-${login}`
}

function storedIn({ data, revision, created = 0n }: RecordedEvent): StoredUser | undefined {
  try {
    const parsed = USER_DATA.safeParse(JSON.parse(Buffer.from(data).toString()))
    return parsed.success ? { data: parsed.data, revision, lastUpdated: created } : undefined
  } catch {
    return undefined
  }
}

function detailsOf({ data, lastUpdated }: StoredUser): UserDetails {
  const { loginName: login, fullName, groups, disabled = false } = data
  return { login, fullName, groups, disabled, lastUpdated }
}

function mustBeAppended(result: AppendResult): void {
  if (result.kind === 'appended') return
  if (result.kind === 'unknown') throw operationTimedOut()
  throw unavailable('The user was changed at the same time')
}
