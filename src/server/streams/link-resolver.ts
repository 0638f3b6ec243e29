// Links: events of type `$>` whose data names another event, `5@payment-42`. One level is resolved.
import type { RecordedEvent } from '../../log/event.js'
import { readStored } from '../../log/event-bytes.js'
import type { EventReader } from '../../log/event-store.js'
import type { Revision } from '../../log/revision.js'
import type { Principal } from '../access/principal.js'
import type { StreamAccess } from '../access/stream-access.js'
import { CODE, StatusError } from '../status.js'
import { type Given, type Sent, typeOf } from './event-encoder.js'

const LINK_TYPE = '$>'
const TARGET = /^(\d+)@(.+)$/s

export class LinkResolver {
  readonly #reader: EventReader
  readonly #mayRead: (stream: string) => Promise<void> | void

  constructor(reader: EventReader, access: StreamAccess, principal: Principal) {
    this.#reader = reader
    this.#mayRead = (stream) => access.check(principal, 'read', stream)
  }

  /** The event itself, or the link with the event that it names, which is missing where it cannot be read. */
  async resolve<Event extends Given>(event: Event): Promise<Sent<Event | RecordedEvent>> {
    if (typeOf(event) !== LINK_TYPE) return { event }
    const link: RecordedEvent = 'bytes' in event ? readStored(event) : event
    const target = TARGET.exec(Buffer.from(link.data).toString('utf8'))
    if (!target) return { event }
    const found = await this.#find(target[2] ?? '', Number(target[1]))
    return { event: found, link }
  }

  async #find(stream: string, revision: Revision): Promise<RecordedEvent | undefined> {
    if (!Number.isSafeInteger(revision) || !(await this.#isAllowed(stream))) return undefined
    const read = await this.#reader.readStream(stream, { from: revision, maxCount: 1 })
    if (read.kind !== 'found') return undefined
    for await (const [first] of read.events) return first?.revision === revision ? first : undefined
    return undefined
  }

  /** A link must not show what the caller may not read. */
  async #isAllowed(stream: string): Promise<boolean> {
    try {
      await this.#mayRead(stream)
      return true
    } catch (error) {
      if (error instanceof StatusError && error.code === CODE.permissionDenied) return false
      throw error
    }
  }
}
