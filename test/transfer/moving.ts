// A log out of a store and into another, and logs compared without their positions.

import type { LineEvent } from '../../src/log/event-line.js'
import { parseEventLine } from '../../src/log/event-line.js'
import type { EventReader, EventStore } from '../../src/log/event-store.js'
import { exportEvents } from '../../src/transfer/export-events.js'
import { type ImportedLines, importLines } from '../../src/transfer/import-lines.js'
import type { FileLine } from '../../src/transfer/located-line.js'

/** The lines of a store's log. */
export async function linesOf(store: EventReader): Promise<string[]> {
  let text = ''
  await exportEvents(store, async (piece) => {
    text += piece
  })
  return text.split('\n').slice(0, -1)
}

/** Imports lines as if they stood in the file `log`. */
export function importInto(store: EventStore, lines: readonly string[], signal?: AbortSignal): Promise<ImportedLines> {
  return importLines(asFile(lines), store, signal ? { signal } : {})
}

async function* asFile(lines: readonly string[]): AsyncGenerator<FileLine> {
  for (const [index, text] of lines.entries()) {
    yield { file: 'log', line: index + 1, kind: 'line', bytes: new TextEncoder().encode(text) }
  }
}

/** The events of lines. */
export function eventsIn(lines: readonly string[]): LineEvent[] {
  return lines.map((line) => {
    const parsed = parseEventLine(line)
    if (parsed.kind === 'broken') throw new Error(`${parsed.why}: ${line}`)
    return parsed.event
  })
}

/** A store that only takes appends, as a server does. */
export function withoutRestore(store: EventStore): EventStore {
  return new Proxy(store, {
    has: (target, name) => name !== 'restore' && Reflect.has(target, name),
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
