// Whose a line is that is no valid JSON, where that is certain all the same. A wrong guess would have a ticket issued that exists, so
// every doubt counts against it.
import { type JSONVisitor, visit } from 'jsonc-parser'

/**
 * The literal of the transaction id in a text that JSON.parse refused. It is certain where the key's name is in the text exactly once, as a property
 * at exactly the key's path, with a complete literal behind it, and nothing follows the object that could be the rest of another line.
 */
export function certainLiteralIn(text: string, path: readonly string[]): string | undefined {
  const name = path.at(-1) ?? ''
  const isOnce = text.includes(name) && text.indexOf(name) === text.lastIndexOf(name)
  // A name can be spelled with escapes; and what stands before the object is unknown too.
  if (!isOnce || text.includes('\\u') || !/^\s*\{/.test(text)) return undefined
  const walk = walkBroken(text, path)
  const [place, second] = walk.places
  if (!place || second || walk.steps !== path.length) return undefined
  if (/["{]/.test(text.slice(walk.rootEnd))) return undefined
  const literal = text.slice(place.start, place.end)
  return isComplete(literal, text.slice(place.end)) ? literal : undefined
}

interface BrokenWalk {
  /** Properties met on the way to the key: as many as the path has names where none is there twice. */
  steps: number
  /** Offsets of the values at the key's path, end exclusive. */
  readonly places: { readonly start: number; readonly end: number }[]
  /** Behind the outermost object. */
  rootEnd: number
}

function walkBroken(text: string, path: readonly string[]): BrokenWalk {
  const walk: BrokenWalk = { steps: 0, places: [], rootEnd: text.length }
  let depth = 0
  const visitor: JSONVisitor = {
    onObjectBegin: () => {
      depth += 1
    },
    onObjectEnd: (offset) => {
      depth -= 1
      if (depth === 0) walk.rootEnd = offset + 1
    },
    onObjectProperty: (name, _offset, _length, _line, _column, pathOf) => {
      // Depth first, for its price: a path is a new list at each call.
      if (path[depth - 1] === name && isPath(path.slice(0, depth), [...pathOf(), name])) walk.steps += 1
    },
    onLiteralValue: (_value, offset, length, _line, _column, pathOf) => {
      if (depth === path.length && isPath(path, pathOf())) walk.places.push({ start: offset, end: offset + length })
    },
  }
  visit(text, visitor, { disallowComments: true })
  return walk
}

function isPath(path: readonly string[], found: readonly (string | number)[]): boolean {
  return found.length === path.length && found.every((part, place) => part === path[place])
}

/** Text ends with its quote; a number could go on where the line is cut. Either must be followed by what may follow a value. */
function isComplete(literal: string, after: string): boolean {
  if (literal.startsWith('"')) return /^"(?:[^"\\]|\\.)*"$/.test(literal) && /^\s*([,}]|$)/.test(after)
  return /^-?\d/.test(literal) && /^(\s*[,}]|\s+$)/.test(after)
}
