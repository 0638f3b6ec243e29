// Which subjects use which key that should be unique over all of them: what a replay finds in its second pass, kept up to date event by
// event, so that a key used again names everybody who has used it.
import type { Projection } from '../engine/projection.js'

/** A subject began (`used`) or ceased to use a key. */
export interface KeyChange {
  readonly key: string
  readonly subject: string
  readonly used: boolean
}

export class KeyIndex {
  readonly #rules: NonNullable<Projection['sharedKeys']>
  /** Nearly every key has one user, and a set for each would cost more than all the rest. */
  readonly #users = new Map<string, string | Set<string>>()
  #changes: KeyChange[] = []

  constructor({ sharedKeys = [] }: Projection) {
    this.#rules = sharedKeys
  }

  /** Whether the projection has rules across subjects at all. */
  get isNeeded(): boolean {
    return this.#rules.length > 0
  }

  /** The keys that a state uses, each with its rule, in order and once. */
  keysOf(state: unknown): string[] {
    return [...new Set(this.usesOf(state))].sort()
  }

  /** The same as they come: a key that the state uses twice stands there twice. */
  usesOf(state: unknown): string[] {
    const uses: string[] = []
    for (const rule of this.#rules) for (const { key } of rule.keys(state)) uses.push(`${rule.id} ${key}`)
    return uses
  }

  /** The subjects that share a key with another one. */
  *sharingSubjects(): Iterable<string> {
    for (const users of this.#users.values()) if (typeof users !== 'string' && users.size > 1) yield* users
  }

  /** The subjects that use any of these keys. */
  usersOf(keys: Iterable<string>): Set<string> {
    const users = new Set<string>()
    for (const key of keys) {
      const found = this.#users.get(key)
      if (typeof found === 'string') users.add(found)
      else if (found) for (const user of found) users.add(user)
    }
    return users
  }

  /** A subject that used some keys now uses others. */
  replace(subject: string, before: readonly string[], after: readonly string[]): void {
    for (const key of before) if (!after.includes(key)) this.note({ key, subject, used: false })
    for (const key of after) if (!before.includes(key)) this.note({ key, subject, used: true })
  }

  /** Takes in one change; a change that is known changes nothing. */
  note(change: KeyChange): void {
    if (this.#isUsed(change) === change.used) return
    if (change.used) this.#add(change)
    else this.#remove(change)
    this.#changes.push(change)
  }

  /** What has changed since this was asked last. */
  takeChanges(): readonly KeyChange[] {
    const changes = this.#changes
    this.#changes = []
    return changes
  }

  #isUsed({ key, subject }: KeyChange): boolean {
    const users = this.#users.get(key)
    return typeof users === 'string' ? users === subject : (users?.has(subject) ?? false)
  }

  #add({ key, subject }: KeyChange): void {
    const found = this.#users.get(key)
    if (found === undefined) this.#users.set(key, subject)
    else if (typeof found === 'string') this.#users.set(key, new Set([found, subject]))
    else found.add(subject)
  }

  #remove({ key, subject }: KeyChange): void {
    const found = this.#users.get(key)
    if (typeof found === 'string') this.#users.delete(key)
    else found?.delete(subject)
  }
}
