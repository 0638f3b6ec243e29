// Who is asked about a subject while the log is read: a service that an authority's `lookUp` reaches, or a file.
import { setTimeout as sleep } from 'node:timers/promises'
import { v5 as uuidV5 } from 'uuid'
import type { JsonObject, JsonValue } from '../engine/json.js'
import type { Authority } from '../repair/authority.js'

/** Answers a request; null: nothing is known. Throws where nobody can tell now. */
export interface Lookup {
  ask(request: JsonObject): Promise<JsonValue>
}

/** A service could not tell, however often it was asked. */
export class LookupUnavailableError extends Error {
  override readonly name = 'LookupUnavailableError'
}

const KEY_NAMESPACE = '2f0c5f2e-6d0a-4c1b-9a53-5b1d3c9f8e47'
const TRIES_MAX = 3
const PAUSE_MS = 200

/** Asks an authority: nothing is changed by it. An answer that is none is asked for again, then given up. */
export function lookupAt(authority: Authority): Lookup {
  return {
    ask: async (request) => {
      const key = uuidV5(JSON.stringify(request), KEY_NAMESPACE)
      for (let tries = 1; ; tries += 1) {
        const told = await authority.lookUp({ key, request })
        if (told.kind === 'found') return told.answer
        if (told.kind === 'none') return null
        if (tries === TRIES_MAX)
          throw new LookupUnavailableError(
            `${authority.name} cannot tell about ${JSON.stringify(request)}: ${told.message}`,
          )
        await sleep(PAUSE_MS * tries)
      }
    },
  }
}
