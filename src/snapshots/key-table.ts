// Who uses which shared key at a cut and at the moment it is advanced to, as far as it matters to somebody who is judged.
import type { Past } from './past.js'

/** The keys that a judged subject used at the cut and uses now, as often as it does. */
export interface KeysOfSubject {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export class KeyTable {
  readonly #past: Past
  /** Of everybody who is judged. */
  readonly #known = new Map<string, KeysOfSubject>()
  readonly #users = new Map<string, Set<string>>()

  constructor(past: Past) {
    this.#past = past
  }

  note(subject: string, keys: KeysOfSubject): void {
    if (keys.before.length + keys.after.length > 0) this.#known.set(subject, keys)
  }

  /** Looks up who else uses the keys of those that are known. Throws SnapshotDamagedError. */
  learn(): void {
    const keys = new Set<string>()
    for (const { before, after } of this.#known.values()) {
      for (const key of [...before, ...after]) if (!this.#users.has(key)) keys.add(key)
    }
    for (const [key, users] of this.#past.usersOf(keys)) this.#users.set(key, users)
    for (const [subject, { before, after }] of this.#known) {
      for (const key of before) if (!after.includes(key)) this.#users.get(key)?.delete(subject)
      for (const key of after) this.#users.get(key)?.add(subject)
    }
  }

  /** Everybody who shares or has shared a key with one of these, but for those who are known: they are judged already. */
  neighboursOf(subjects: Iterable<string>): Set<string> {
    const neighbours = new Set<string>()
    for (const subject of subjects) {
      const { before = [], after = [] } = this.#known.get(subject) ?? {}
      for (const key of [...before, ...after]) {
        for (const user of this.#users.get(key) ?? []) neighbours.add(user)
      }
    }
    for (const subject of this.#known.keys()) neighbours.delete(subject)
    return neighbours
  }

  /** Those of the known who now use a key that is used more than once. */
  sharing(): string[] {
    return [...this.#known]
      .filter(([, { after }]) => after.some((key) => this.#isShared(key, after)))
      .map(([name]) => name)
  }

  /** Everybody who uses one of the keys of these subjects now. */
  usersWith(subjects: Iterable<string>): Set<string> {
    const users = new Set<string>()
    for (const subject of subjects) {
      for (const key of this.#known.get(subject)?.after ?? []) {
        for (const user of this.#users.get(key) ?? []) users.add(user)
      }
    }
    return users
  }

  #isShared(key: string, after: readonly string[]): boolean {
    return (this.#users.get(key)?.size ?? 0) > 1 || after.indexOf(key) !== after.lastIndexOf(key)
  }
}
