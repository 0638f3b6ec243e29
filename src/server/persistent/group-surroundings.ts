// What groups need of the server.
import type { EventStore } from '../../log/event-store.js'

export interface GroupSurroundings {
  readonly store: EventStore
  /** Is told of what goes wrong where no call waits for it. */
  readonly onError: (error: unknown) => void
}
