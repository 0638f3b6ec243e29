// Where things stand in the text of a JSON object. JSON.parse decides what is valid and what it means; what it loses (the digits of
// large numbers, spacing, a name that is there twice) is read here from the text itself.
import { createScanner } from 'jsonc-parser'

/** One property as it stands in a text: its name with escapes resolved, and the offsets of its value, end exclusive. */
export interface PropertyText {
  readonly name: string
  readonly start: number
  readonly end: number
}

/**
 * The properties of the object that begins at `start`, in the order of the text and as often as they are there. `text` must be
 * valid JSON. It does not recurse: nesting may be as deep as JSON.parse allows.
 */
export function propertiesOf(text: string, start = 0): PropertyText[] {
  const scanner = createScanner(text, true)
  scanner.setPosition(start)
  const properties: PropertyText[] = []
  // A token is known by its first character; in valid JSON that tells all kinds apart.
  const next = (): string => {
    scanner.scan()
    const first = text[scanner.getTokenOffset()]
    if (first === undefined) throw new Error('propertiesOf: the text is no valid JSON object')
    return first
  }
  next()
  for (let token = next(); token !== '}'; token = next()) {
    if (token === ',') next()
    const name = scanner.getTokenValue()
    next()
    const opening = next()
    const valueStart = scanner.getTokenOffset()
    for (let depth = nesting(opening); depth > 0; ) depth += nesting(next())
    properties.push({ name, start: valueStart, end: scanner.getPosition() })
  }
  return properties
}

function nesting(token: string): number {
  if (token === '{' || token === '[') return 1
  return token === '}' || token === ']' ? -1 : 0
}
